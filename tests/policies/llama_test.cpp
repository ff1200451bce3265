#include "policies/llama.h"

#include "policies/checkpoint.h"
#include "support/committed_golden.h"
#include "support/declared_fields.h"
#include "support/error_of.h"
#include "support/golden_tensor.h"
#include "support/scratch.h"
#include "text/byte_tokenizer.h"

using namespace hone;
using namespace hone::test;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> names = {"llama", "mistral", "qwen2", "qwen3"};

fs::path checkpoint(const std::string& name) { return committed_golden_folder() / "models" / name; }

/// What transformers computed from the checkpoint.
Json expected(const std::string& name) { return committed_golden("llama_logits.json").at("models").at(name); }

Ids ids_of(const Json& list) {
  Ids ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

/// The gradient of one Hugging Face tensor: rows of a fused segment.
at::Tensor gradient_of(Model& model, const std::string& hf_name) {
  for (const Segment& segment : model.store.segments()) {
    std::int64_t row = 0;
    for (const SegmentPart& part : segment.parts) {
      if (part.hf_name == hf_name) return model.store.find(segment.name).grad().narrow(0, row, part.rows);
      row += part.rows;
    }
  }
  return {};
}

/// A copy of a checkpoint with one key of config.json changed.
void copy_checkpoint(const std::string& name, const fs::path& place, const std::string& key, const Json& value) {
  fs::create_directories(place);
  fs::copy_file(checkpoint(name) / "model.safetensors", place / "model.safetensors",
                fs::copy_options::overwrite_existing);
  const fs::path file = checkpoint(name) / "config.json";
  Json config = Json::parse(read_file(file), file.string());
  if (!key.empty()) config.set(key, value);
  write_file_atomic(place / "config.json", config.dump());
}

/// The spec of a config.json like the checkpoint's but for one key.
LlamaSpec spec_of(const std::string& name, const std::string& key, const Json& value) {
  const fs::path file = checkpoint(name) / "config.json";
  Json config = Json::parse(read_file(file), file.string());
  config.set(key, value);
  LlamaSpec spec;
  spec.from_hf(config);
  return spec;
}

Json object(const std::string& key, Json value) {
  Json made = Json::object();
  made.set(key, std::move(value));
  return made;
}

}  // namespace

TEST_CASE("policies: llama, mistral, qwen2 and qwen3 checkpoints give the logits of transformers") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const Json golden = expected(name);
    const std::unique_ptr<Model> model = open_model(checkpoint(name));
    const at::Tensor rows = tensor_of(golden.at("rows")).to(at::kLong);
    const at::Tensor logits = logits_of(*model, ids_of(golden.at("ids"))).index_select(0, rows);
    CHECK(gap(logits, tensor_of(golden.at("logits"))) <= 1e-4);
  }
}

TEST_CASE("policies: gradients of a next-token loss are those of transformers") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const Json golden = expected(name);
    const std::unique_ptr<Model> model = open_model(checkpoint(name));
    const at::Tensor loss = -next_token_statistics(*model, ids_of(golden.at("ids"))).logprob_M.mean();
    CHECK(loss.item<double>() == doctest::Approx(golden.at("loss").as_number()).epsilon(1e-5));
    loss.backward();
    std::size_t parts = 0;
    for (const Segment& segment : model->store.segments()) parts += segment.parts.size();
    CHECK(parts == golden.at("gradients").as_object().size());
    for (const auto& [hf_name, gradient] : golden.at("gradients").as_object()) {
      CAPTURE(hf_name);
      const at::Tensor ours = gradient_of(*model, hf_name);
      REQUIRE(ours.defined());
      const double norm = gradient.at("norm").as_number();
      CHECK(ours.norm().item<double>() == doctest::Approx(norm).epsilon(1e-4));
      const at::Tensor entries = tensor_of(gradient.at("entries"));
      const at::Tensor found = ours.flatten().index_select(0, entries.select(1, 0).to(at::kLong));
      CHECK(relative_error(found, entries.select(1, 1)) <= 1e-4);
    }
  }
}

TEST_CASE("policies: greedy continuations are those of transformers") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const Json golden = expected(name);
    const std::unique_ptr<Model> model = open_model(checkpoint(name));
    const Ids all = ids_of(golden.at("greedy_ids"));
    Ids ids(all.begin(), all.begin() + golden.at("prompt").as_integer());
    while (ids.size() < all.size()) {
      ids.push_back(static_cast<std::int32_t>(logits_of(*model, ids)[-1].argmax().item<std::int64_t>()));
    }
    CHECK(ids == all);
  }
}

TEST_CASE("policies: bfloat16 compute rounds what linear layers read, and nothing else") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const Json golden = expected(name);
    const std::unique_ptr<Model> model = open_model(checkpoint(name), kernels::Compute::bfloat16);
    const at::Tensor rows = tensor_of(golden.at("rows")).to(at::kLong);
    const at::Tensor logits = logits_of(*model, ids_of(golden.at("ids"))).index_select(0, rows);
    const at::Tensor rounded = tensor_of(golden.at("bfloat16_logits"));
    // A sum in another order may round an activation to its other neighbour, so this is no 1e-4.
    CHECK(relative_error(logits, rounded) <= 5e-3);
    CHECK(relative_error(logits, rounded) < 0.2 * relative_error(logits, tensor_of(golden.at("logits"))));
    CHECK(same_bits(model->store.weights(), open_model(checkpoint(name))->store.weights()));
  }
}

TEST_CASE("policies: packed sequences give the bits that each gives alone") {
  for (const std::string& name : names) {
    for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
      CAPTURE(name);
      const at::NoGradGuard no_grad;
      const std::unique_ptr<Model> model = open_model(checkpoint(name), compute);
      const Ids first = ids_of(expected(name).at("ids"));
      const std::vector<Ids> sequences = {first, Ids(first.rbegin(), first.rbegin() + 7), {first[0]}};
      const at::Tensor packed = hidden_of(*model, sequences);
      std::vector<at::Tensor> alone;
      for (const Ids& ids : sequences) alone.push_back(hidden_of(*model, {ids}));
      CHECK(same_bits(packed, at::cat(alone)));
    }
  }
}

TEST_CASE("policies: a saved model directory gives the same weights, shape and logits back") {
  const Scratch scratch;
  const std::unique_ptr<Tokenizer> tokenizer = byte_tokenizer();
  for (const std::string& name : names) {
    CAPTURE(name);
    const fs::path place = scratch.path() / name;
    const std::unique_ptr<Model> model = open_model(checkpoint(name));
    save_model_directory(*model, *tokenizer, place);
    const std::unique_ptr<Model> again = open_model(place);
    CHECK(same_bits(again->store.weights(), model->store.weights()));
    const Ids ids = ids_of(expected(name).at("ids"));
    CHECK(same_bits(logits_of(*again, ids), logits_of(*model, ids)));
    const Json config = again->policy->hf_config();
    CHECK(config.at("model_type").as_string() == name);
    const Json original = Json::parse(read_file(checkpoint(name) / "config.json"), name);
    for (const char* key : {"rms_norm_eps", "head_dim", "tie_word_embeddings", "max_position_embeddings"}) {
      if (original.find(key) != nullptr) CHECK(config.at(key) == original.at(key));
    }
  }
}

TEST_CASE("policies: what a config.json asks for beyond the family is refused by its key") {
  HONE_CHECK_ERROR(data, spec_of("qwen2", "rope_parameters", object("rope_type", "sideways")), "sideways");
  HONE_CHECK_ERROR(data, spec_of("llama", "hidden_act", "maxout"), "hidden_act", "maxout");
  HONE_CHECK_ERROR(data, spec_of("llama", "new_kind_of_norm", true), "new_kind_of_norm", "take it out of config.json");
  HONE_CHECK_ERROR(data, spec_of("llama", "num_attention_heads", 0), "num_attention_heads is 0", "at least 1");
  HONE_CHECK_ERROR(data, spec_of("llama", "num_key_value_heads", 3), "num_key_value_heads", "4 heads");
  HONE_CHECK_ERROR(data, spec_of("mistral", "head_dim", 5), "head_dim", "odd");
  HONE_CHECK_ERROR(data, spec_of("llama", "vocab_size", "many"), "integer");
  HONE_CHECK_ERROR(data, spec_of("qwen3", "layer_types", Json::Array{"sliding_attention", "full_attention"}),
                   "layer_types", "full_attention");
}

TEST_CASE("policies: fields that no Hugging Face class has together are refused") {
  LlamaSpec spec;
  CHECK(DeclaredFields::problems(spec).empty());
  const auto refused = [](const auto& change) {
    LlamaSpec changed;
    change(changed);
    const std::vector<std::string> found = DeclaredFields::problems(changed);
    return found.size() == 1 ? found[0].substr(0, found[0].find(':')) : "not one problem";
  };
  CHECK(refused([](LlamaSpec& s) { s.output_bias = true; }) == "output_bias");
  CHECK(refused([](LlamaSpec& s) { s.qk_norm = s.qkv_bias = true; }) == "qk_norm");
  CHECK(refused([](LlamaSpec& s) { s.qkv_bias = s.output_bias = true, s.sliding_window = 4; }) == "sliding_window");
  CHECK(refused([](LlamaSpec& s) { s.hidden = 129; }) == "heads");
  CHECK(refused([](LlamaSpec& s) { s.kv_heads = 3; }) == "kv_heads");
  CHECK(refused([](LlamaSpec& s) { s.head_dim = 7; }) == "head_dim");
}

TEST_CASE("policies: windows are read as transformers reads them") {
  CHECK(spec_of("mistral", "sliding_window", 3).sliding_window == 3);
  CHECK(spec_of("mistral", "sliding_window", Json()).sliding_window == 0);
  CHECK(spec_of("llama", "sliding_window", 3).sliding_window == 0);
  CHECK(spec_of("qwen3", "use_sliding_window", false).sliding_window == 0);
  CHECK(spec_of("qwen3", "sliding_window", 7).sliding_window == 7);
  CHECK(spec_of("qwen3", "layer_types", Json::Array{"full_attention", "full_attention"}).sliding_window == 0);
}

TEST_CASE("policies: a model directory that does not fit says which file or tensor, expected and found") {
  const Scratch scratch;
  const fs::path place = scratch.path() / "model";
  const auto open = [&](const std::string& name, const std::string& key, const Json& value) {
    copy_checkpoint(name, place, key, value);
    open_model(place);
  };
  open("llama", "", Json());  // the copy itself is good
  HONE_CHECK_ERROR(data, open("llama", "model_type", "mamba"), "config.json", "mamba", "families: llama");
  HONE_CHECK_ERROR(data, open("llama", "hidden_act", "maxout"), "config.json", "hidden_act is 'maxout'");
  HONE_CHECK_ERROR(data, open("llama", "intermediate_size", 20), "'model.layers.0.mlp.gate_proj.weight'",
                   "shape [24, 16], expected [20, 16]");
  HONE_CHECK_ERROR(data, open("llama", "num_hidden_layers", 1), "'model.layers.1.", "has no place");
  HONE_CHECK_ERROR(data, open("llama", "num_hidden_layers", 3), "and 5 more",
                   "tensor 'model.layers.2.input_layernorm.weight' is missing");
  HONE_CHECK_ERROR(data, open("llama", "model_type", "qwen2"), "'model.layers.0.self_attn.o_proj.bias' has no place");

  copy_checkpoint("llama", place, "", Json());
  fs::copy_file(checkpoint("mistral") / "model.safetensors", place / "model.safetensors",
                fs::copy_options::overwrite_existing);
  HONE_CHECK_ERROR(data, open_model(place), "another architecture", "'model.embed_tokens.weight'",
                   "shape [48, 24], expected [48, 16]");

  copy_checkpoint("llama", place, "", Json());
  fs::resize_file(place / "model.safetensors", fs::file_size(place / "model.safetensors") - 100);
  HONE_CHECK_ERROR(data, open_model(place), "model.safetensors", "truncated");
  fs::remove(place / "model.safetensors");
  HONE_CHECK_ERROR(io, open_model(place), "model.safetensors");
  write_file_atomic(place / "config.json", "{\"model_type\": ");
  HONE_CHECK_ERROR(data, open_model(place), "config.json");
}
