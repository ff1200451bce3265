#include <algorithm>
#include <cmath>

#include "policies/checkpoint.h"
#include "stages/grpo.h"
#include "stages/listed_prompts.h"
#include "stages/tiny_rl.h"
#include "support/committed_golden.h"
#include "text/tokenizer_json.h"

using namespace hone;
using namespace hone::test;

/// Steps of TRL 1.16's GRPOTrainer on completions from a file, watched by tools/golden/grpo_curve.py. The policy differs
/// from the reference from the start.
namespace {

std::filesystem::path model_folder(const std::string& name) { return committed_golden_folder() / "models" / name; }
std::filesystem::path rollouts_file() { return committed_golden_folder() / "grpo_rollouts.jsonl"; }

/// TRL's names for what differs between its runs, in hone's words.
void apply(const Json& settings, GrpoSpec& spec) {
  const auto number = [&](const char* key, double otherwise) {
    const Json* value = settings.find(key);
    return value == nullptr ? otherwise : value->as_number();
  };
  const auto is = [&](const char* key, std::string_view value) {
    const Json* found = settings.find(key);
    return found != nullptr && found->as_string() == value;
  };
  RlConfig& rl = spec.rl;
  rl.clip_low = number("epsilon", 0.2);
  rl.clip_high = number("epsilon_high", rl.clip_low);
  rl.dual_clip = number("delta", 0);
  if (is("loss_type", "sapo")) rl.clip = ClipKind::soft;
  if (is("loss_type", "grpo") || is("loss_type", "sapo")) rl.aggregation = Aggregation::sequence_mean;
  if (is("loss_type", "dr_grpo")) rl.aggregation = Aggregation::constant_length;
  if (is("importance_sampling_level", "sequence")) rl.ratio = RatioLevel::sequence;
  if (is("scale_rewards", "none")) spec.group.baseline = GroupBaseline::dr_grpo;
  if (is("loss_type", "cispo")) {
    rl.clip = ClipKind::detached;
    rl.clip_low = 1;
    rl.clip_high -= 1;  // TRL gives the largest ratio, here it is what it exceeds 1 by
  }
  if (number("beta", 0) == 0) return;
  rl.kl.place = KlPlace::loss;
  rl.kl.estimator = KlEstimator::k3;
  rl.kl.coefficient = number("beta", 0);
  rl.kl.reference = model_folder("trl_reference").string();
  rl.kl.ratio_weighted = settings.at("use_bias_correction_kl").as_bool();
}

GrpoSpec settings_of(const Json& golden, const Json& run) {
  GrpoSpec spec = quick<GrpoSpec>("grpo", constant_reward(0));
  RlConfig& rl = spec.rl;
  rl.environment = std::make_unique<ListedPromptsSpec>(rollouts_file());
  rl.iterations = run.at("iterations").as_integer();
  rl.epochs = run.at("epochs").as_integer();
  rl.prompts = golden.at("prompts").as_integer();
  rl.samples = golden.at("samples").as_integer();
  rl.minibatch = rl.episodes();
  rl.sampling.max_tokens = golden.at("max_tokens").as_integer();
  rl.optimizer.learning_rate = golden.at("learning_rate").as_number();
  rl.optimizer.eps = 1e-8;
  rl.optimizer.max_grad_norm = 1;
  rl.rollout.replay = rollouts_file().string();
  spec.group.epsilon = golden.at("std_epsilon").as_number();
  apply(run.at("settings"), spec);
  return spec;
}

/// Largest |ours - theirs| / max(|theirs|, scale), of the first iteration and of all. A figure of ours is the mean over
/// the iteration's steps.
struct Distance {
  double first = 0, largest = 0;
};

Distance distance(const Json& run, const TinyRun& tiny, const char* theirs, const char* ours, double scale) {
  const std::vector<double> values = tiny.series(ours);
  const Json::Array& steps = run.at("steps").at(theirs).as_array();
  const auto epochs = static_cast<std::size_t>(run.at("epochs").as_integer());
  REQUIRE(values.size() * epochs == steps.size());
  Distance found;
  for (std::size_t i = 0; i < values.size(); ++i) {
    double mean = 0, size = scale;
    for (std::size_t e = 0; e < epochs; ++e) {
      const double step = steps[i * epochs + e].as_number();
      mean += step / static_cast<double>(epochs);
      size = std::max(size, std::abs(step));
    }
    const double gap = std::abs(values[i] - mean) / size;
    if (i == 0) found.first = gap;
    found.largest = std::max(found.largest, gap);
  }
  return found;
}

void learn(const Json& golden, const Json& run, TinyRun& tiny, const std::function<void(GrpoSpec&)>& change = {}) {
  tiny.run.tokenizer = load_tokenizer(model_folder("trl_policy"));
  tiny.run.policy = read_policy_spec(model_folder("trl_policy"), policy_table());
  tiny.run.model = open_model(model_folder("trl_policy"));
  GrpoSpec spec = settings_of(golden, run);
  if (change) change(spec);
  spec.run(tiny.run);
}

}  // namespace

TEST_CASE("stages: grpo learns from completions what TRL learns from them, step by step") {
  const Json golden = committed_golden("grpo_curve.json");
  for (const auto& [name, run] : golden.at("runs").as_object()) {
    CAPTURE(name);
    TinyRun tiny;
    learn(golden, run, tiny);
    const Distance loss = distance(run, tiny, "loss", "loss", 1);
    const Distance norm = distance(run, tiny, "grad_norm", "grad_norm", 1e-2);
    const Distance entropy = distance(run, tiny, "entropy", "entropy", 1);
    MESSAGE(name, ": loss ", loss.first, " ", loss.largest, ", gradient norm ", norm.first, " ", norm.largest);
    CHECK(loss.first < 1e-5);
    CHECK(loss.largest < 1e-4);
    CHECK(norm.first < 1e-4);
    CHECK(norm.largest < 1e-3);
    CHECK(entropy.largest < 1e-3);
    const bool by_token = run.at("settings").at("loss_type").as_string() == "dapo";  // as TRL logs it
    if (by_token) CHECK(distance(run, tiny, "kl", "kl_loss", 1e-1).largest < 1e-3);
  }
}

TEST_CASE("stages: each of the settings that TRL's runs differ in changes what grpo learns") {
  const Json golden = committed_golden("grpo_curve.json");
  const auto gap = [&](const char* name, const std::function<void(GrpoSpec&)>& change) {
    const Json& run = golden.at("runs").at(name);
    TinyRun tiny;
    learn(golden, run, tiny, change);
    return distance(run, tiny, "grad_norm", "grad_norm", 1e-2).largest;
  };
  CHECK(gap("clipped", [](GrpoSpec& spec) { spec.rl.clip_high = 0.1; }) > 1e-2);
  CHECK(gap("clipped", [](GrpoSpec& spec) { spec.rl.kl.reference.reset(); }) > 1e-2);
  CHECK(gap("weighted_kl", [](GrpoSpec& spec) { spec.rl.kl.ratio_weighted = false; }) > 1e-2);
  CHECK(gap("dr_grpo", [](GrpoSpec& spec) { spec.group.baseline = GroupBaseline::grpo; }) > 1e-2);
  CHECK(gap("gspo", [](GrpoSpec& spec) { spec.rl.ratio = RatioLevel::token; }) > 1e-2);
  CHECK(gap("sapo", [](GrpoSpec& spec) { spec.rl.clip = ClipKind::surrogate; }) > 1e-2);
  CHECK(gap("cispo", [](GrpoSpec& spec) { spec.rl.clip = ClipKind::surrogate; }) > 1e-2);
}
