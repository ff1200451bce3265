#include "stages/model_directory.h"

#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <map>

#include "io/file.h"
#include "io/safetensors.h"
#include "policies/checkpoint.h"
#include "stages/describe_model.h"
#include "stages/tiny_run.h"
#include "support/committed_golden.h"
#include "text/tokenizer_json.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> contents(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) files[entry.path().lexically_relative(directory).string()] = read_file(entry.path());
  }
  return files;
}

/// Writing more than so many bytes to a file fails while it lives.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("stages: a checkpoint keeps the tokenizer's files byte for byte and the base's generation values") {
  test::TinyRun tiny;
  const fs::path source = tiny.scratch.path() / "source";
  byte_tokenizer()->save((fs::create_directories(source), source));
  tiny.scratch.file("source/tokenizer_config.json", "{ \"eos_token\":\"<|eos|>\",\n\n  \"mine\" : [1,2] }");
  tiny.scratch.file("source/chat_template.jinja", "{% for m in messages %}{{ m.content }}\r\n{% endfor %}");
  tiny.scratch.file("source/special_tokens_map.json", "{}  ");
  fs::create_directories(source / "additional_chat_templates");
  tiny.scratch.file("source/additional_chat_templates/tools.jinja", "{{ tools }}");
  const std::map<std::string, std::string> before = contents(source);
  tiny.run.tokenizer = load_tokenizer(source);
  tiny.run.base_model = "/cache/hub/models--org--small/snapshots/abc";
  tiny.run.generation_config = Json::parse(R"({"top_p": 0.9, "eos_token_id": [257, 258], "mine": "kept"})", "test");
  tiny.run.data["reviews"] = DataConfig{.path = "/home/me/private/reviews.jsonl"};

  const fs::path place = tiny.run.checkpoint_directory("sft") / "step_3";
  tiny.run.save_checkpoint(place, {.stage = "sft", .step = 3, .values = Json::object()});
  const std::map<std::string, std::string> after = contents(place);
  for (const auto& [name, bytes] : before) CHECK_MESSAGE(after.at(name) == bytes, name);
  const Json generation = Json::parse(after.at("generation_config.json"), "written");
  CHECK(generation.at("top_p") == Json(0.9));
  CHECK(generation.at("eos_token_id").dump() == "[257,258]");
  CHECK(generation.at("mine") == Json("kept"));
  CHECK(generation.find("pad_token_id") == nullptr);

  const std::string& card = after.at("README.md");
  for (const char* text : {"\nbase_model: \"org/small\"\n", "\npipeline_tag: \"text-generation\"\n", "# run: sft\n",
                           "step 3 of the stage `sft`, which had not ended", "| Data `reviews` | reviews.jsonl |\n",
                           "| Class | LlamaForCausalLM |\n", "| Matrix products | float32 |\n"}) {
    CHECK_MESSAGE(card.find(text) != std::string::npos, text << card);
  }
  CHECK(card.find("private") == std::string::npos);
  tiny.run.save_checkpoint(place, {.stage = "sft", .step = 3, .values = Json::object()});
  CHECK(contents(place) == after);
}

TEST_CASE("stages: a card tells what was measured by the end of each stage") {
  test::TinyRun tiny;
  CheckpointRecord record{.stage = "ppo", .finished = true, .updates = 1234};
  record.stages = {{.stage = "sft", .held_out = {{"loss", 2.0, 1.5}, {"accuracy", 0.0, std::nullopt}}},
                   {.stage = "ppo", .held_out = {{"accuracy", 0.25, 0.75}, {"loss", 1.5, std::nan("")}}}};
  const ModelCard card = card_of(tiny.run, record);
  REQUIRE(card.results.size() == 2);
  CHECK(card.results[0].dataset == "held out, after sft");
  CHECK(card.results[1].value == 0.75);
  const std::string text = model_card_text(card);
  CHECK(text.find("| Stages | sft, ppo |") != std::string::npos);
  CHECK(text.find("| Updates | 1,234 |") != std::string::npos);
  CHECK(text.find("| Base model | none: random weights |") != std::string::npos);
  CHECK(text.find("base_model:") == std::string::npos);
}

TEST_CASE("stages: a path tells a hub's name only where it is that hub's cache") {
  CHECK(hub_name("/root/.cache/huggingface/hub/models--Qwen--Qwen2.5-0.5B/snapshots/0123") == "Qwen/Qwen2.5-0.5B");
  CHECK(hub_name("hub/models--gpt2/snapshots/0123/") == "gpt2");
  CHECK(hub_name("/data/models/Qwen2.5") == "");
  CHECK(hub_name("") == "");
}

TEST_CASE("stages: a model is stored in shards and as another dtype when that is asked for") {
  test::TinyRun tiny;
  const fs::path place = tiny.scratch.path() / "out";
  save_model_directory(*tiny.run.model, *tiny.run.tokenizer, place,
                       {.weights = {.stored = DType::bf16, .max_shard_bytes = 20000}});
  CHECK(fs::exists(place / "model.safetensors.index.json"));
  CHECK_FALSE(fs::exists(place / "model.safetensors"));
  CHECK(Json::parse(read_file(place / "config.json"), "written").at("dtype") == Json("bfloat16"));
  const Safetensors stored = Safetensors::open(place);
  for (const TensorView& view : stored.tensors()) CHECK(view.dtype == DType::bf16);
  const at::Tensor exact = tiny.weights();
  load_weights(*tiny.run.model, place);
  const at::Tensor loaded = tiny.weights();
  CHECK(loaded.equal(exact.to(at::kBFloat16).to(at::kFloat)));
}

TEST_CASE("stages: a trunk without a head stays one, with its pooler, which a head that is added begins with") {
  const fs::path source = test::committed_golden_folder() / "models" / "bert_base";
  test::TinyRun tiny;
  tiny.run.policy = read_policy_spec(source, test::policy_table());
  tiny.run.model = std::make_unique<Model>(*tiny.run.policy, read_head_plan(source), kernels::Compute::float32, true);
  load_weights(*tiny.run.model, source);
  const fs::path place = tiny.scratch.path() / "written";
  save_model_directory(*tiny.run.model, *tiny.run.tokenizer, place);
  CHECK(read_file(place / "config.json").find("\"BertModel\"") != std::string::npos);
  const Safetensors written = Safetensors::open(place);
  const at::Tensor pooler = tiny.run.model->store.find("head_dense").weight().clone();
  CHECK(written.find("bert.pooler.dense.weight") != nullptr);
  CHECK(written.find("bert.pooler.dense.bias") != nullptr);
  CHECK(written.find("cls.predictions.bias") == nullptr);
  const Safetensors original = Safetensors::open(source);
  const TensorView* view = original.find("pooler.dense.weight");
  REQUIRE(view != nullptr);
  CHECK(std::memcmp(view->bytes.data(), pooler.data_ptr<float>(), view->bytes.size()) == 0);
  tiny.run.use_heads({.lm = false, .scores = 3, .score_kind = HeadKind::classes});
  CHECK(at::equal(tiny.run.model->store.find("head_dense").weight(), pooler));
}

TEST_CASE("stages: a directory that cannot be written whole leaves the one before it, and nothing else") {
  test::TinyRun tiny;
  const fs::path folder = tiny.scratch.path() / "models";
  const fs::path place = folder / "out";
  {
    const FileLimit limit(5000);
    const auto error = test::error_of([&] { save_model_directory(*tiny.run.model, *tiny.run.tokenizer, place); });
    REQUIRE(error.has_value());
    CHECK(error->kind == ErrorKind::io);
  }
  CHECK(fs::is_empty(folder));
  save_model_directory(*tiny.run.model, *tiny.run.tokenizer, place);
  const std::map<std::string, std::string> before = contents(folder);
  {
    const FileLimit limit(5000);
    CHECK(test::error_of([&] { save_model_directory(*tiny.run.model, *tiny.run.tokenizer, place); }).has_value());
  }
  CHECK(contents(folder) == before);
}

}  // namespace hone
