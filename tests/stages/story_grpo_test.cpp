#include <algorithm>
#include <cmath>

#include "policies/checkpoint.h"
#include "stages/grpo_presets.h"
#include "stages/listed_prompts.h"
#include "stages/tiny_rl.h"
#include "support/committed_golden.h"
#include "support/test_data.h"

using namespace hone;
using namespace hone::test;

/// The trained story model under GRPO and relatives, as a plain transformers loop trains it: tools/golden/story_grpo.py.
namespace {

/// A record in which every iteration has the same samples.
std::string record_of(const Json& golden) {
  std::string lines;
  for (std::int64_t iteration = 1; iteration <= golden.at("steps").as_integer(); ++iteration) {
    for (const Json& episode : golden.at("episodes").as_array()) {
      Json turn = Json::object(), score = Json::object(), line = Json::object();
      turn.set("ids", episode.at("ids"));
      turn.set("logprobs", episode.at("logprobs"));
      score.set("value", episode.at("score"));
      line.set("iteration", iteration);
      line.set("prompt", episode.at("prompt"));
      line.set("prompt_ids", episode.at("prompt_ids"));
      line.set("turns", Json(Json::Array{turn}));
      line.set("score", score);
      lines += line.dump() + "\n";
    }
  }
  return lines;
}

/// What the loop has, in hone's words.
GrpoSpec spec_of(const std::string& name, const Json& golden, const std::filesystem::path& record) {
  GrpoSpec spec;
  if (name == "rloo") spec = RlooSpec();
  if (name == "reinforce_plus_plus") spec = ReinforcePlusPlusSpec();
  if (name == "gspo") spec = GspoSpec();
  if (name == "cispo") spec = CispoSpec();
  make_quick(spec.rl);
  spec.kind = spec.name = name;
  spec.rl.environment = std::make_unique<ListedPromptsSpec>(record);
  spec.rl.rollout.replay = record.string();
  spec.rl.iterations = golden.at("steps").as_integer();
  spec.rl.samples = golden.at("samples").as_integer();
  spec.rl.minibatch = static_cast<std::int64_t>(golden.at("episodes").as_array().size());
  spec.rl.prompts = spec.rl.minibatch / spec.rl.samples;
  spec.rl.optimizer.learning_rate = golden.at("learning_rate").as_number();
  spec.rl.optimizer.eps = 1e-8;
  spec.rl.optimizer.max_grad_norm = 1;
  spec.rl.clip_high = 0.15;
  if (name != "cispo") spec.rl.clip_low = 0.1;
  if (name == "gspo") spec.rl.clip_low = 3e-3, spec.rl.clip_high = 4e-3;
  if (name == "grpo") spec.rl.kl.place = KlPlace::loss;
  spec.rl.kl.estimator = name == "grpo" ? KlEstimator::k3 : KlEstimator::k1;
  spec.rl.kl.coefficient = golden.at("kl").as_number();
  return spec;
}

/// The largest distance over all steps, relative where the figure is not small.
double distance(const std::vector<double>& ours, const Json& theirs) {
  REQUIRE(ours.size() == theirs.as_array().size());
  double largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double expected = theirs.as_array()[i].as_number();
    largest = std::max(largest, std::abs(ours[i] - expected) / std::max(std::abs(expected), 0.05));
  }
  return largest;
}

}  // namespace

TEST_CASE("stages: a trained model under grpo and its relatives takes the steps of a transformers loop") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json golden = committed_golden("story_grpo.json");
  for (const auto& [name, curve] : golden.at("curves").as_object()) {
    CAPTURE(name);
    TinyRun tiny;
    tiny.run.policy = read_policy_spec(folder / "models/stories260K/hf", policy_table());
    tiny.run.model = open_model(folder / "models/stories260K/hf");
    const auto record = tiny.scratch.file("record.jsonl", record_of(golden));
    spec_of(name, golden, record).run(tiny.run);
    const double loss = distance(tiny.series("loss"), curve.at("loss"));
    const double norm = distance(tiny.series("grad_norm"), curve.at("grad_norm"));
    MESSAGE(name, ": loss ", loss, ", gradient norm ", norm);
    CHECK(loss < 1e-4);
    CHECK(norm < 1e-4);
  }
}
