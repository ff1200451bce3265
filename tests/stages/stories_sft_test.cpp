#include <algorithm>
#include <cmath>
#include <map>

#include "policies/checkpoint.h"
#include "stages/language_model.h"
#include "stages/tiny_run.h"
#include "support/committed_golden.h"
#include "support/test_data.h"

using namespace hone;
using namespace hone::test;

/// 20 steps of fine-tuning the trained story model by a plain loop over transformers and PEFT, written down by
/// tools/golden/stories_sft.py.
namespace {

Ids ids_of(const Json& list) {
  Ids ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

std::vector<TokenExample> story_rows(const Json& golden, bool everything) {
  std::vector<TokenExample> rows;
  for (const Json& row : golden.at("rows").as_array()) {
    TokenExample example{.ids = ids_of(row.at("prompt")), .row = static_cast<std::int64_t>(rows.size())};
    if (!everything) example.context_tokens = static_cast<std::int64_t>(example.ids.size());
    const Ids completion = ids_of(row.at("completion"));
    example.ids.insert(example.ids.end(), completion.begin(), completion.end());
    rows.push_back(std::move(example));
  }
  return rows;
}

/// Adapters on these targets; none when there are none.
TuningConfig story_adapters(const Json& golden, const Json* targets) {
  TuningConfig tuning;
  if (targets == nullptr) return tuning;
  tuning.lora = {.rank = golden.at("rank").as_integer(), .alpha = golden.at("alpha").as_number(), .targets = {}};
  for (const Json& target : targets->as_array()) tuning.lora.targets.push_back(target.as_string());
  return tuning;
}

/// Each A becomes a wave, in the order of PEFT's names, as the script makes them.
void wave_adapters(Model& model) {
  std::map<std::string, std::string> segment_of;
  for (const Segment& segment : model.store.segments()) {
    if (segment.name.ends_with(".lora_a")) segment_of[segment.parts[0].hf_name] = segment.name;
  }
  int k = 0;
  for (const auto& [name, segment] : segment_of) {
    at::Tensor weight = model.store.find(segment).weight();
    const at::Tensor wave = at::sin(at::arange(weight.numel(), at::kDouble) * 0.37 + k++) * 0.2;
    weight.copy_(wave.view(weight.sizes()));
  }
}

double largest_ratio(const Json& expected, const std::vector<double>& values) {
  REQUIRE(values.size() == expected.as_array().size());
  double largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double wanted = expected.as_array()[i].as_number();
    largest = std::max(largest, std::abs(values[i] - wanted) / wanted);
  }
  return largest;
}

void check_run(const std::filesystem::path& data, const std::string& name) {
  const Json golden = committed_golden("stories_sft.json");
  const Json& expected = golden.at("runs").at(name);
  const std::filesystem::path folder = data / "models/stories260K/hf";
  TinyRun tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer()));
  tiny.run.policy = read_policy_spec(folder, policy_table());
  tiny.run.tuning = story_adapters(golden, golden.at("targets").find(name));
  tiny.run.model =
      std::make_unique<Model>(*tiny.run.policy, HeadPlan{}, kernels::Compute::float32, true, tiny.run.tuning);
  tiny.run.model->store.initialize(1);
  load_weights(*tiny.run.model, folder);
  wave_adapters(*tiny.run.model);
  tiny.run.model->store.refresh();
  TrainingConfig training;
  training.steps = golden.at("steps").as_integer();
  training.batch_size = golden.at("batch").as_integer();
  training.optimizer.learning_rate = expected.at("learning_rate").as_number();
  training.optimizer.eps = 1e-8;
  training.optimizer.beta2 = 0.999;
  training.optimizer.max_grad_norm = 1;
  LanguageModelObjective objective(tiny.run, {story_rows(golden, name == "everything"), {}}, training.tokens_per_pass);
  Training(tiny.run, training, EvaluationInterval{}, "sft", objective).run();
  const double loss = largest_ratio(expected.at("loss"), tiny.series("loss"));
  const double norm = largest_ratio(expected.at("grad_norm"), tiny.series("grad_norm"));
  MESSAGE(name, ": loss within ", loss, ", gradient norm within ", norm);
  CHECK(loss <= 1e-4);
  CHECK(norm <= 1e-4);
}

}  // namespace

TEST_CASE("stages: the story model is fine-tuned as by a plain loop, all tokens learned") {
  HONE_NEEDS_TEST_DATA(data);
  check_run(data, "everything");
}

TEST_CASE("stages: the story model is fine-tuned as by a plain loop, completions learned") {
  HONE_NEEDS_TEST_DATA(data);
  check_run(data, "completions");
}

TEST_CASE("stages: the story model is fine-tuned as by PEFT, with adapters on two matrices of a block or on all") {
  HONE_NEEDS_TEST_DATA(data);
  check_run(data, "lora");
  check_run(data, "lora_everywhere");
}
