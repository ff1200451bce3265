#include "stages/gguf_model.h"

#include "io/safetensors.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "support/gguf_reader.h"
#include "support/scratch.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>

namespace hone {

using test::Scratch;
namespace fs = std::filesystem;

namespace {

/// These checkpoints have no tokenizer.
GgufVocabulary nameless_vocabulary(std::int64_t size) {
  GgufVocabulary vocabulary;
  vocabulary.model = "llama";
  vocabulary.pre = "default";
  for (std::int64_t id = 0; id < size; ++id) vocabulary.tokens.push_back(fmt::format("t{}", id));
  vocabulary.kinds.assign(vocabulary.tokens.size(), GgufVocabulary::Kind::normal);
  vocabulary.scores.assign(vocabulary.tokens.size(), 0.0f);
  return vocabulary;
}

struct Checkpoint {
  explicit Checkpoint(const std::string& name)
      : weights(Safetensors::open(test::committed_golden_folder() / "models" / name)),
        config(Json::parse(read_file(test::committed_golden_folder() / "models" / name / "config.json"), name)) {}

  test::GgufContents write(GgufType type = GgufType::f32) const {
    const Scratch scratch;
    const GgufModel model{"x", config, weights.tensors(), nameless_vocabulary(tokens)};
    write_gguf_model(scratch.path() / "x.gguf", model, type);
    return test::read_gguf(scratch.path() / "x.gguf");
  }

  Safetensors weights;
  Json config;
  std::int64_t tokens = config.at("vocab_size").as_integer();
};

double number_of(const GgufValue& value) {
  return std::visit(
      [](const auto& item) -> double {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(item)>>) return static_cast<double>(item);
        return NAN;
      },
      value);
}

/// Keys that the reference conversion leaves out where llama.cpp's default is the same.
bool is_ours_alone(const std::string& key) {
  return key.ends_with(".key_length") || key.ends_with(".value_length") || key.ends_with(".vocab_size") ||
         key.ends_with(".dimension_count") || key.ends_with(".freq_base") || key == "phi3.rope.scaling.type";
}

void check_key(const std::string& key, const Json& expected, const test::GgufContents& file) {
  INFO(key, " = ", expected.dump());
  // Has no effect in llama.cpp: its phi3 does not slide.
  if (key == "phi3.attention.sliding_window") return;
  // Is read with a scaling only.
  if (key.ends_with(".original_context_length") && file.keys.count("phi3.rope.scaling.type") == 0 && key[0] == 'p')
    return;
  const auto found = file.keys.find(key);
  REQUIRE(found != file.keys.end());
  if (expected.is_string()) {
    CHECK(std::get<std::string>(found->second) == expected.as_string());
  } else {
    CHECK(number_of(found->second) == doctest::Approx(expected.as_number()).epsilon(1e-7));
  }
}

void check_tensors(const Json& expected, const test::GgufContents& file) {
  static const std::map<std::string, std::uint32_t> types = {{"F32", 0}, {"F16", 1}, {"Q8_0", 8}, {"BF16", 30}};
  CHECK(file.tensors.size() == expected.as_object().size());
  for (const auto& [name, tensor] : expected.as_object()) {
    INFO(name);
    const auto found = file.tensors.find(name);
    REQUIRE(found != file.tensors.end());
    CHECK(found->second.type == types.at(tensor.at("type").as_string()));
    std::vector<std::int64_t> shape;
    for (const Json& size : tensor.at("shape").as_array()) shape.push_back(size.as_integer());
    CHECK(found->second.shape == shape);
    const std::string& bytes = found->second.bytes;
    const auto crc = ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
    if (!name.starts_with("rope_f")) CHECK(static_cast<std::int64_t>(crc) == tensor.at("crc32").as_integer());
  }
}

GgufType type_named(const std::string& name) {
  if (name == "f16") return GgufType::f16;
  if (name == "bf16") return GgufType::bf16;
  return name == "q8_0" ? GgufType::q8_0 : GgufType::f32;
}

}  // namespace

TEST_CASE("stages: GGUF files have the keys and tensors of the reference conversion") {
  const Json golden = test::committed_golden("gguf.json");
  for (const Json& item : golden.at("cases").as_array()) {
    Checkpoint checkpoint(item.at("model").as_string());
    INFO(item.at("model").as_string(), " ", item.at("type").as_string());
    for (const auto& [key, value] : item.at("changes").as_object()) checkpoint.config.set(key, value);
    const Json* window = checkpoint.config.find("sliding_window");
    const bool cut = window != nullptr && window->is_integer() && !item.at("model").as_string().starts_with("gemma");
    const test::GgufContents file = checkpoint.write(type_named(item.at("type").as_string()));
    const std::string& architecture = std::get<std::string>(file.keys.at("general.architecture"));
    for (const auto& [key, value] : item.at("keys").as_object()) {
      if (cut && key.ends_with(".context_length")) {
        CHECK(number_of(file.keys.at(key)) == window->as_number());
      } else {
        check_key(key, value, file);
      }
    }
    for (const auto& [key, value] : file.keys) {
      if (!key.starts_with(architecture + ".") || is_ours_alone(key)) continue;
      INFO(key);
      const bool pattern = key == "gemma3.attention.sliding_window_pattern";  // these layers are not every sixth
      CHECK((pattern || item.at("keys").find(key) != nullptr));
    }
    check_tensors(item.at("tensors"), file);
  }
}

TEST_CASE("stages: Llama 3's scaling becomes a table of divisors") {
  const test::GgufContents file = Checkpoint("llama_llama3").write();
  const std::string& bytes = file.tensors.at("rope_freqs.weight").bytes;
  std::vector<float> factors(bytes.size() / sizeof(float));
  std::memcpy(factors.data(), bytes.data(), bytes.size());
  REQUIRE(factors.size() == 4);  // theta 100, 8 a head, original 32, factor 8, low 1, high 4
  CHECK(factors[0] == 1.0f);     // wavelength 6.28 is below 32 / 4
  const double smooth = (32 / (2 * M_PI * std::sqrt(10.0)) - 1) / 3;
  CHECK(factors[1] == doctest::Approx(1 / ((1 - smooth) / 8 + smooth)));
  CHECK(factors[2] == 8.0f);  // 62.8 is above 32
  CHECK(factors[3] == 8.0f);
}

TEST_CASE("stages: what GGUF cannot express is refused by the key's name") {
  const auto refused = [](const char* name, const char* key, Json value, std::string_view expected = "") {
    INFO(std::string(name), " ", std::string(key));
    Checkpoint checkpoint(name);
    checkpoint.config.set(key, std::move(value));
    HONE_CHECK_ERROR(data, checkpoint.write(), key, expected);
  };
  refused("llama", "model_type", "bert", "gemma3_text");
  refused("llama", "hidden_act", "gelu", "silu");
  refused("llama", "residual_multiplier", 0.5, "not known");
  refused("llama", "quantization_config", Json::object(), "not known");
  refused("llama", "num_key_value_heads", 5);
  refused("llama", "num_hidden_layers", "two");
  refused("llama", "vocab_size", 7, "tokenizer");
  refused("llama", "head_dim", -1);
  refused("qwen2", "layer_types", Json(Json::Array{"chunked_attention", "full_attention"}));
  refused("qwen3_moe", "norm_topk_prob", false, "true");
  refused("qwen3_moe", "mlp_only_layers", Json(Json::Array{1}));
  refused("gemma2", "query_pre_attn_scalar", 12, "8");
  refused("gemma", "use_bidirectional_attention", true);
  refused("gpt2", "activation_function", "relu", "gelu_new");
  refused("gpt2", "scale_attn_by_inverse_layer_idx", true);
  Checkpoint missing("llama");
  missing.config.set("rms_norm_eps", nullptr);
  HONE_CHECK_ERROR(data, missing.write(), "rms_norm_eps", "missing");
  Checkpoint caps("gemma2_no_caps");
  caps.config.set("attention_bias", false);
  HONE_CHECK_ERROR(data, caps.write(), "softcapping");
}

TEST_CASE("stages: rotary scalings that llama.cpp lacks are refused by name") {
  const auto refused = [](const char* name, Json::Object parameters, std::string_view key) {
    Checkpoint checkpoint(name);
    checkpoint.config.set("rope_parameters", Json(std::move(parameters)));
    HONE_CHECK_ERROR(data, checkpoint.write(), key);
  };
  HONE_CHECK_ERROR(data, Checkpoint("llama_dynamic").write(), "rope_type", "dynamic");
  HONE_CHECK_ERROR(data, Checkpoint("llama_yarn_mscale").write(), "rope_parameters.truncate");
  refused("llama", {{"rope_type", "linear"}, {"rope_theta", 1e4}}, "rope_parameters.factor");
  refused("llama", {{"rope_type", "default"}, {"factor", 2.0}}, "rope_parameters.factor");
  refused("llama", {{"rope_type", "default"}, {"partial_rotary_factor", 0.5}}, "partial_rotary_factor");
  refused("qwen2", {{"rope_type", "llama3"}, {"factor", 2.0}}, "rope_type");
  refused(
      "phi3",
      {{"rope_type", "longrope"}, {"short_factor", Json(Json::Array{1.0})}, {"long_factor", Json(Json::Array{1.0})}},
      "long_factor");
}

TEST_CASE("stages: tensors that are missing, too many or of another shape are named") {
  Checkpoint checkpoint("qwen3");
  std::vector<TensorView> views(checkpoint.weights.tensors().begin(), checkpoint.weights.tensors().end());
  const Scratch scratch;
  const auto write = [&] {
    const GgufModel model{"x", checkpoint.config, views, nameless_vocabulary(checkpoint.tokens)};
    write_gguf_model(scratch.path() / "x.gguf", model, GgufType::f32);
  };
  const TensorView removed = views.back();
  views.pop_back();
  HONE_CHECK_ERROR(data, write(), removed.name, "missing");
  views.push_back(removed);
  views.push_back({"model.layers.0.self_attn.q_proj.lora_A", DType::f32, {0, 2}, {}});
  HONE_CHECK_ERROR(data, write(), "lora_A", "no place");
  views.pop_back();
  CHECK_NOTHROW(write());
  Checkpoint odd("llama");
  odd.config.set("num_attention_heads", 16);
  odd.config.set("num_key_value_heads", 16);
  HONE_CHECK_ERROR(data, odd.write(), "q_proj", "16 heads");
}

}  // namespace hone
