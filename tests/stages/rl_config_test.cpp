#include "stages/rl_config.h"

#include "config/load.h"
#include "envs/skeleton.h"
#include "rewards/exact_match.h"
#include "stages/grpo_presets.h"
#include "stages/ppo.h"
#include "support/doctest_torch.h"
#include "support/error_of.h"
#include "support/scratch.h"

using namespace hone;
using namespace hone::test;

namespace {

template <class Spec>
std::unique_ptr<Component> make() {
  return std::make_unique<Spec>();
}

Catalogs catalogs() {
  Catalogs all;
  all.add<EnvironmentSpec>({.noun = "environment", .rows = {{"skeleton", "A game.", make<SkeletonEnvSpec>}}});
  all.add<RewardSpec>({.noun = "reward", .rows = {{"exact_match", "An answer.", make<ExactMatchSpec>}}});
  return all;
}

/// A stage as a file with these lines beside what every stage needs.
template <class Spec>
Spec read(const std::string& lines) {
  const Scratch scratch;
  const Catalogs kinds = catalogs();
  Spec spec;
  const std::string needed = "environment: {kind: skeleton}\nrewards: [{kind: exact_match}]\n";
  load_fields(scratch.file("stage.yaml", needed + lines), {}, kinds, [&spec](Fields& f) { spec.describe_stage(f); });
  return spec;
}

}  // namespace

TEST_CASE("stages: a stage needs an environment and rewards, the rest has defaults") {
  const PpoSpec spec = read<PpoSpec>("");
  CHECK(spec.rl.epochs == 4);
  CHECK(spec.rl.truncated_sampling == TruncatedSampling::refuse);
  CHECK(spec.rl.kl.place == KlPlace::off);
  CHECK(read<GrpoSpec>("").rl.samples == 8);
  const Scratch scratch;
  const Catalogs kinds = catalogs();
  const auto file = scratch.file("stage.yaml", "iterations: 3\n");
  PpoSpec empty;
  HONE_CHECK_ERROR(config, load_fields(file, {}, kinds, [&](Fields& f) { empty.describe_stage(f); }), "environment",
                   "rewards");
}

TEST_CASE("stages: rollouts in int8 are refused unless they are corrected for") {
  HONE_CHECK_ERROR(config, read<PpoSpec>("rollout: {weights: int8}\n"), "rollout", "importance.recompute: true");
  CHECK(read<PpoSpec>("rollout: {weights: int8}\nimportance: {recompute: true}\n").rl.rollout.weights == RolloutWeights::int8);
}

TEST_CASE("stages: truncated sampling is refused unless it is corrected") {
  for (const std::string truncation :
       {"top_k: 5", "top_p: 0.9", "min_p: 0.1", "repetition_penalty: 1.2", "presence_penalty: -0.5",
        "frequency_penalty: 0.1", "no_repeat_ngram: 3", "min_tokens: 2", "logit_bias: {5: 1.5}"}) {
    const std::string sampling = "sampling: {" + truncation + "}\n";
    HONE_CHECK_ERROR(config, read<PpoSpec>(sampling), "truncated_sampling", "correct");
    HONE_CHECK_ERROR(config, read<GrpoSpec>(sampling), "truncated_sampling", "correct");
    CHECK(read<PpoSpec>(sampling + "truncated_sampling: correct\n").rl.truncated_sampling ==
          TruncatedSampling::correct);
  }
  CHECK_NOTHROW(read<PpoSpec>("sampling: {temperature: 0.7, top_k: 0, top_p: 1, min_p: 0, eos_ids: [3]}\n"));
}

TEST_CASE("stages: settings of sampling that make no sense are refused") {
  HONE_CHECK_ERROR(config, read<PpoSpec>("sampling: {max_tokens: 4, min_tokens: 5}\n"), "min_tokens", "max_tokens");
  HONE_CHECK_ERROR(config, read<PpoSpec>("sampling: {logit_bias: {the: 1}}\n"), "logit_bias", "token ids");
  HONE_CHECK_ERROR(config, read<PpoSpec>("sampling: {repetition_penalty: 0}\n"), "repetition_penalty", "> 0");
  HONE_CHECK_ERROR(config, read<PpoSpec>("sampling: {eos_ids: [-1]}\n"), "eos_ids");
}

TEST_CASE("stages: an estimator of the divergence is accepted only where it is right") {
  HONE_CHECK_ERROR(config, read<PpoSpec>("kl: {place: loss}\n"), "kl.estimator", "k2");
  HONE_CHECK_ERROR(config, read<PpoSpec>("kl: {place: reward, estimator: k3}\n"), "kl.estimator", "k1");
  HONE_CHECK_ERROR(config, read<PpoSpec>("kl: {place: reward, estimator: k2}\n"), "kl.estimator", "k1");
  CHECK_NOTHROW(read<PpoSpec>("kl: {place: loss, estimator: k3}\n"));
  const PpoSpec spec = read<PpoSpec>("kl: {place: reward, coefficient: 0.2}\n");
  CHECK(spec.rl.kl.controller().coefficient() == 0.2);
  CHECK(PpoSpec().rl.kl.controller().coefficient() == 0);
}

TEST_CASE("stages: values that cannot work together are refused where they stand") {
  HONE_CHECK_ERROR(config, read<PpoSpec>("sampling: {temperature: 0}\n"), "sampling", "above 0");
  HONE_CHECK_ERROR(config, read<PpoSpec>("prompts: 4\nsamples: 2\nminibatch: 9\n"), "minibatch", "prompts × samples");
  CHECK_NOTHROW(read<PpoSpec>("prompts: 4\nsamples: 2\nminibatch: 8\n"));
  const std::string length = "aggregation: constant_length\nsampling: {max_tokens: 20}\n";
  CHECK(read<PpoSpec>(length).rl.length_constant() == 20);
  CHECK(read<PpoSpec>(length + "max_episode_tokens: 50\n").rl.length_constant() == 50);
  CHECK(read<PpoSpec>(length + "max_episode_tokens: 50\nconstant_length: 64\n").rl.length_constant() == 64);
  HONE_CHECK_ERROR(config, read<PpoSpec>("dual_clip: 0.9\n"), "dual_clip", "above 1");
  CHECK_NOTHROW(read<PpoSpec>("dual_clip: 3\n"));
  HONE_CHECK_ERROR(config, read<GrpoSpec>("samples: 1\n"), "samples", "at least 2");
  CHECK_NOTHROW(read<PpoSpec>("samples: 1\n"));
  HONE_CHECK_ERROR(config, read<PpoSpec>("max_error_share: 1.5\n"), "max_error_share");
  HONE_CHECK_ERROR(config, read<PpoSpec>("lambda: 1.01\n"), "lambda");
  HONE_CHECK_ERROR(config, read<PpoSpec>("rollout: {record: a.jsonl, replay: a.jsonl}\n"), "rollout.record", "replayed");
  CHECK_NOTHROW(read<GrpoSpec>("rollout: {record: a.jsonl, replay: b.jsonl}\n"));
  const std::string compat = "compat: {score_position: after_last}\n";
  HONE_CHECK_ERROR(config, read<PpoSpec>(compat), "compat", "separate");
  CHECK_NOTHROW(read<PpoSpec>(compat + "critic: {trunk: separate}\n"));
  HONE_CHECK_ERROR(config, read<PpoSpec>(compat + "critic: {trunk: separate}\nbootstrap_truncated: true\n"), "compat",
                   "bootstrap_truncated");
  HONE_CHECK_ERROR(config, read<GrpoSpec>("compat: {micro_batch: 2}\n"), "compat");
}

TEST_CASE("stages: the named relatives of grpo are defaults of its fields") {
  CHECK(read<DrGrpoSpec>("sampling: {max_tokens: 7}\n").rl.length_constant() == 7);
  CHECK(read<DrGrpoSpec>("").group.baseline == GroupBaseline::dr_grpo);
  CHECK(read<RlooSpec>("").rl.kl.place == KlPlace::reward);
  CHECK(read<ReinforcePlusPlusSpec>("").whiten == Whiten::tokens);
  CHECK(read<RemaxSpec>("samples: 1\n").group.baseline == GroupBaseline::greedy);
  CHECK(read<GspoSpec>("").rl.ratio == RatioLevel::sequence);
  CHECK(read<CispoSpec>("clip_high: 1\n").rl.policy_loss_options().clip == ClipKind::detached);
  CHECK(read<DapoSpec>("").rl.dynamic_sampling == 10);
  CHECK(read<GdpoSpec>("").compare == CompareRewards::each);
  CHECK(read<RlooSpec>("kl: {place: off}\nbaseline: grpo\n").group.baseline == GroupBaseline::grpo);
}

TEST_CASE("stages: settings of the family that contradict each other are refused before the run") {
  const auto refused = [](const std::string& lines, const char* key, const char* why) {
    CAPTURE(lines);
    HONE_CHECK_ERROR(config, read<GrpoSpec>(lines), key, why);
  };
  refused("dynamic_sampling: 2\nrollout: {replay: a.jsonl}\n", "dynamic_sampling", "replay");
  refused("past: {groups: 65}\n", "past", "prompts");
  refused("past: {groups: 1}\nrollout: {replay: a.jsonl}\n", "past", "replay");
  refused("entropy_target: 0.5\n", "entropy_target", "entropy_coefficient");
  refused("importance: {token_low: 2, token_high: 1}\n", "token_low", "token_high");
  refused("covariance: {low: 5, high: 1}\n", "low", "below high");
  refused("kl: {reference_every: 4}\n", "kl.place", "reference");
  refused("kl: {place: reward, ratio_weighted: true}\n", "ratio_weighted", "loss");
  refused("gamma: 0.9\n", "gamma", "to_come");
  refused("baseline: greedy\nrollout: {max_lag: 1}\n", "baseline", "lag");
  refused("rollout: {token_budget: 8}\n", "token_budget", "spare_prompts");
  refused("rollout: {token_budget: 64, spare_prompts: 8}\n", "rollout", "less than sampling.max_tokens");
  refused("rollout: {token_budget: 8, spare_prompts: 8, max_lag: 1}\n", "token_budget", "max_lag");
  refused("dynamic_sampling: 2\nrollout: {token_budget: 8, spare_prompts: 8}\n", "rollout", "dynamic_sampling");
  refused("compare: each\ncredit: to_come\n", "compare", "episode");
  refused("compare: each\nbaseline: none\n", "compare", "baseline");
  refused("compare: each\nmissing_eos_penalty: 1\n", "compare", "missing_eos_penalty");
  HONE_CHECK_ERROR(config, read<ReinforcePlusPlusSpec>("dynamic_sampling: 2\n"), "dynamic_sampling", "samples");
  HONE_CHECK_ERROR(config, read<PpoSpec>("critic: {warmup_iterations: 2}\n"), "warmup_iterations", "separate");
  HONE_CHECK_ERROR(config, read<PpoSpec>("critic: {from: judge}\n"), "from", "separate");
}

TEST_CASE("stages: the arithmetic of a stage is what it will do") {
  const PpoSpec spec = read<PpoSpec>(
      "iterations: 10\nprompts: 6\nsamples: 4\nepochs: 3\nminibatch: 10\nsampling: {max_tokens: 5}\n");
  CHECK(spec.rl.episodes() == 24);
  CHECK(spec.rl.minibatches(24) == 3);
  CHECK(spec.rl.optimizer_steps() == 90);
  std::string text;
  for (const auto& [name, value] : spec.arithmetic()) text += name + ": " + value + "\n";
  for (const char* line : {"episodes an iteration: 6 prompts × 4 samples = 24", "tokens an iteration: ≤ 24 × 5 = 120",
                           "3 epochs × 3 minibatches of 10 = 9", "optimizer steps: 90", "episodes: 240"}) {
    INFO(line, "\n", text);
    CHECK(text.find(line) != std::string::npos);
  }
}
