#include "io/adapter_files.h"

#include "base/json.h"
#include "io/adapter_config.h"
#include "io/file.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

#include <cmath>
#include <deque>

namespace hone {

using test::Scratch;
namespace fs = std::filesystem;

namespace {

struct Tensors {
  std::deque<std::vector<float>> values;
  TensorView add(std::string name, std::vector<std::int64_t> shape) {
    const auto count = *element_count(shape);
    std::vector<float>& made = values.emplace_back(count);
    for (std::size_t i = 0; i < count; ++i) made[i] = static_cast<float>(i) + static_cast<float>(values.size());
    return {std::move(name), DType::f32, std::move(shape), std::as_bytes(std::span(made))};
  }
};

AdapterModule module_of(Tensors& tensors, const std::string& name, std::int64_t rank, bool dora = false) {
  AdapterModule module{name, tensors.add("", {rank, 6}), tensors.add("", {4, rank}), std::nullopt, 1};
  if (dora) module.magnitude = tensors.add("", {4});
  return module;
}

fs::path golden(const std::string& name) { return test::committed_golden_folder() / "adapters" / name; }

AdapterConfig parsed(std::string_view text) {
  return parse_adapter_config(Json::parse(text, "x"), "adapter_config.json");
}

}  // namespace

TEST_CASE("io: an adapter comes back as written") {
  const Scratch scratch;
  Tensors tensors;
  Adapter adapter;
  adapter.config.rank = 2;
  adapter.config.alpha = 16;
  adapter.config.dropout = 0.05;
  adapter.config.target_modules = {"q_proj", "v_proj"};
  adapter.config.rank_pattern = {{"1.q_proj", 3}};
  adapter.config.alpha_pattern = {{"v_proj", 6.0}};
  adapter.config.layers_to_transform = {0, 1};
  adapter.config.modules_to_save = {"lm_head"};
  adapter.config.dora = adapter.config.rank_stabilized = true;
  adapter.config.task_type = "CAUSAL_LM";
  adapter.config.base_model = "base";
  adapter.modules = {module_of(tensors, "l.0.q_proj", 2, true), module_of(tensors, "l.0.v_proj", 2, true),
                     module_of(tensors, "l.1.q_proj", 3, true)};
  adapter.saved = {tensors.add("lm_head.weight", {3, 2})};
  write_adapter(scratch.path(), adapter);
  const Adapter read = read_adapter(scratch.path());
  CHECK(adapter_config_json(read.config) == adapter_config_json(adapter.config));
  REQUIRE(read.modules.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(read.modules[i].name == adapter.modules[i].name);
    CHECK(read.modules[i].a.shape == adapter.modules[i].a.shape);
    CHECK(std::equal(read.modules[i].b.bytes.begin(), read.modules[i].b.bytes.end(),
                     adapter.modules[i].b.bytes.begin()));
    CHECK(read.modules[i].magnitude.has_value());
  }
  CHECK(read.modules[0].scale == doctest::Approx(16 / std::sqrt(2.0)));
  CHECK(read.modules[1].scale == doctest::Approx(6 / std::sqrt(2.0)));
  CHECK(read.modules[2].scale == doctest::Approx(16 / std::sqrt(3.0)));
  CHECK(read.saved.at(0).name == "lm_head.weight");
}

TEST_CASE("io: adapters that PEFT wrote are read") {
  const Adapter plain = read_adapter(golden("plain"));
  CHECK(plain.config.rank == 4);
  CHECK(plain.config.alpha == 8);
  CHECK(plain.config.dropout == doctest::Approx(0.1));
  CHECK(plain.config.target_modules.size() == 2);
  CHECK(plain.config.task_type == "CAUSAL_LM");
  REQUIRE(plain.modules.size() == 4);
  CHECK(plain.modules[0].name == "model.layers.0.self_attn.q_proj");
  CHECK(plain.modules[0].scale == 2);
  const Adapter pattern = read_adapter(golden("pattern"));
  CHECK(pattern.config.target_pattern == R"(model\.layers\.[01]\.mlp\.(up|down)_proj)");
  CHECK(pattern.modules[0].scale == 4);  // 8 / sqrt(4)
  const Adapter dora = read_adapter(golden("dora"));
  REQUIRE(dora.modules.size() == 1);
  CHECK(dora.modules[0].a.shape[0] == 2);
  CHECK(dora.modules[0].scale == 8);
  CHECK(dora.modules[0].magnitude->shape.size() == 1);
  CHECK(dora.saved.at(0).name == "lm_head.weight");
  HONE_CHECK_ERROR(data, read_adapter(golden("embedding")), "embed_tokens", "modules_to_save");
  HONE_CHECK_ERROR(data, read_adapter(golden("bias")), "adapter_config.json", "bias", "lora_only");
}

TEST_CASE("io: what an adapter's config asks for and hone cannot honour is refused by key") {
  const auto refused = [](std::string_view key, std::string_view value) {
    const std::string text = fmt::format(R"({{"peft_type": "LORA", "{}": {}}})", key, value);
    INFO(text);
    HONE_CHECK_ERROR(data, parsed(text), "adapter_config.json", key);
  };
  CHECK(parsed(R"({"peft_type": "LORA"})").rank == 8);
  HONE_CHECK_ERROR(data, parsed(R"({"peft_type": "IA3"})"), "peft_type", "IA3", "LORA");
  HONE_CHECK_ERROR(data, parsed("[]"), "object");
  refused("r", "0");
  refused("r", "1.5");
  refused("lora_alpha", "\"x\"");
  refused("lora_dropout", "1.0");
  refused("bias", "\"all\"");
  refused("init_lora_weights", "\"pissa\"");
  refused("init_lora_weights", "\"olora\"");
  refused("target_modules", "3");
  refused("target_modules", "[3]");
  refused("rank_pattern", R"({".*q_proj": 3})");
  refused("rank_pattern", R"({"q_proj": 0})");
  refused("alpha_pattern", R"({"q_proj": "x"})");
  refused("layers_to_transform", "[-1]");
  refused("use_dora", "1");
  for (const char* key :
       {"alora_invocation_tokens", "layer_replication", "trainable_token_indices", "target_parameters"}) {
    refused(key, "[1]");
  }
  refused("lora_bias", "true");
  refused("loftq_config", R"({"loftq_bits": 4})");
  refused("something_new", "7");
  CHECK(parsed(R"({"peft_type": "LORA", "layers_to_transform": 3})").layers_to_transform ==
        std::vector<std::int64_t>{3});
  CHECK(parsed(R"({"peft_type": "LORA", "rank_pattern": {"a\\.q": 3}})").rank_of("x.a.q") == 3);
  CHECK(parsed(R"({"peft_type": "LORA", "rank_pattern": {"q": 3}})").rank_of("xq") == 8);
}

TEST_CASE("io: adapters whose tensors disagree with their config are refused by name") {
  const Scratch scratch;
  Tensors tensors;
  Adapter adapter;
  adapter.config.rank = 2;
  adapter.modules = {module_of(tensors, "q", 2)};
  write_adapter(scratch.path(), adapter);
  const std::string config = read_file(scratch.path() / "adapter_config.json");
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = config;
    text.replace(text.find(from), from.size(), to);
    scratch.file("adapter_config.json", text);
    return read_adapter(scratch.path());
  };
  HONE_CHECK_ERROR(data, with(R"("r": 2)", R"("r": 3)"), "module q", "[2, 6]", "[3, in]");
  HONE_CHECK_ERROR(data, with(R"("use_dora": false)", R"("use_dora": true)"), "q.lora_magnitude_vector", "missing");
  scratch.file("adapter_config.json", config);
  const auto file = scratch.path() / "adapter_model.safetensors";
  const auto holds = [&](std::vector<TensorView> views) {
    write_safetensors(file, views);
    return read_adapter(scratch.path());
  };
  const TensorView a = tensors.add("base_model.model.q.lora_A.weight", {2, 6});
  HONE_CHECK_ERROR(data, holds({a}), "q.lora_B.weight", "missing");
  HONE_CHECK_ERROR(data, holds({}), "no adapter");
  HONE_CHECK_ERROR(data, holds({tensors.add("q.lora_A.weight", {2, 6})}), "q.lora_A.weight", "begin with");
  HONE_CHECK_ERROR(data, holds({tensors.add("base_model.model.lm_head.weight", {2, 6})}), "lm_head",
                   "modules_to_save");
  HONE_CHECK_ERROR(data,
                   holds({a, tensors.add("base_model.model.q.lora_B.weight", {4, 2}),
                          tensors.add("base_model.model.q.lora_magnitude_vector", {4})}),
                   "use_dora is false");
  fs::remove(file);
  HONE_CHECK_ERROR(io, read_adapter(scratch.path()), "adapter_model.safetensors");
  scratch.file("adapter_model.bin", "");
  HONE_CHECK_ERROR(data, read_adapter(scratch.path()), "pickle");
}

}  // namespace hone
