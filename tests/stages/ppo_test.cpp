#include "stages/ppo.h"

#include "base/threads.h"
#include "envs/skeleton.h"
#include "stages/tiny_rl.h"

using namespace hone;
using namespace hone::test;

namespace {

PpoSpec quick_ppo(std::unique_ptr<RewardSpec> reward = low_ids()) { return quick<PpoSpec>("ppo", std::move(reward)); }

/// Weights of the policy and of a shared critic's head, before any step of the stage.
at::Tensor start_of(TinyRun& tiny, const PpoSpec& spec) {
  tiny.run.use_heads({.value = spec.critic.trunk == CriticTrunk::shared});
  return tiny.weights();
}

at::Tensor trained(const PpoSpec& spec, kernels::Compute compute = kernels::Compute::float32,
                   std::uint64_t seed = 7) {
  TinyRun tiny(compute, seed);
  spec.run(tiny.run);
  return tiny.weights();
}

/// Four steps of two iterations: shuffled minibatches, epochs and a critic.
PpoSpec four_steps() {
  PpoSpec spec = quick_ppo();
  spec.rl.iterations = 2;
  spec.rl.epochs = 2;
  spec.rl.minibatch = 8;
  return spec;
}

}  // namespace

TEST_CASE("stages: before its first step ppo computes the very probabilities that were sampled with") {
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
    for (const bool several_turns : {false, true}) {
      CAPTURE(static_cast<int>(compute));
      CAPTURE(several_turns);
      TinyRun tiny(compute);
      PpoSpec spec = quick_ppo();
      spec.rl.iterations = 3;
      spec.rl.sampling.temperature = 0.7;
      if (several_turns) {
        auto guess = std::make_unique<SkeletonEnvSpec>();
        guess->turns = 3;
        spec.rl.environment = std::move(guess);
        spec.rl.sampling.max_tokens = 3;
      }
      const at::Tensor before = start_of(tiny, spec);
      spec.run(tiny.run);
      CHECK(tiny.series("ratio/max").size() == 3);
      CHECK(all_are(tiny.series("ratio/max"), 1));
      CHECK(all_are(tiny.series("logprob_gap/max"), 0));
      CHECK(all_are(tiny.series("approx_kl"), 0));
      CHECK(!at::equal(tiny.weights(), before));
    }
  }
}

TEST_CASE("stages: a policy that is still its reference has divergence 0, in the reward and in the loss") {
  for (const KlPlace place : {KlPlace::reward, KlPlace::loss}) {
    TinyRun tiny;
    PpoSpec spec = quick_ppo();
    spec.rl.iterations = 3;
    spec.rl.kl.place = place;
    if (place == KlPlace::loss) spec.rl.kl.estimator = KlEstimator::k2;
    spec.run(tiny.run);
    const std::vector<double> kl = tiny.series("kl");
    REQUIRE(kl.size() == 3);
    CHECK(kl[0] == 0);
    CHECK(kl[1] != 0);
    CHECK(all_are(tiny.series("kl_coefficient"), 0.05));
  }
}

TEST_CASE("stages: with learning rate 0 nothing moves in any epoch") {
  TinyRun tiny;
  PpoSpec spec = four_steps();
  spec.rl.epochs = 3;
  spec.rl.optimizer.learning_rate = 0;
  const at::Tensor before = start_of(tiny, spec);
  spec.run(tiny.run);
  CHECK(all_are(tiny.series("ratio/max"), 1));
  CHECK(all_are(tiny.series("ratio/mean"), 1));
  CHECK(all_are(tiny.series("clip_ratio/low_mean"), 0));
  CHECK(all_are(tiny.series("clip_ratio/high_mean"), 0));
  CHECK(all_are(tiny.series("approx_kl"), 0));
  CHECK(all_are(tiny.series("epochs"), 3));
  CHECK(tiny.series("grad_norm").at(0) > 0);
  CHECK(at::equal(tiny.weights(), before));
}

TEST_CASE("stages: equal returns teach ppo nothing, and divide by nothing") {
  TinyRun tiny;
  PpoSpec spec = four_steps();
  spec.rl.rewards = rewards_of(constant_reward(1));
  spec.critic.coefficient = 0;
  spec.gae.lambda = 1;
  const at::Tensor before = start_of(tiny, spec);
  spec.run(tiny.run);
  CHECK(all_are(tiny.series("grad_norm"), 0));
  CHECK(all_are(tiny.series("reward"), 1));
  CHECK(all_are(tiny.series("reward_std"), 0));
  CHECK(at::equal(tiny.weights(), before));
}

TEST_CASE("stages: how many tokens are computed at once does not change what is learned") {
  for (const CriticTrunk trunk : {CriticTrunk::shared, CriticTrunk::separate}) {
    PpoSpec spec = four_steps();
    spec.rl.optimizer.eps = 1e-3;  // so that Adam does not turn rounding of a tiny gradient into a step
    spec.critic.trunk = trunk;
    spec.rl.kl.place = KlPlace::reward;
    const at::Tensor at_once = trained(spec);
    TinyRun tiny;
    const at::Tensor before = start_of(tiny, spec);
    spec.rl.tokens_per_pass = 9;
    spec.run(tiny.run);
    CHECK(difference(tiny.weights(), at_once, before) < 1e-4);
    CHECK(((tiny.weights() - at_once).norm() / at_once.norm()).item<double>() < 1e-6);
  }
}

TEST_CASE("stages: the same seed is the same run bit by bit, on any number of threads") {
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
    const PpoSpec spec = four_steps();
    const int before = threads();
    set_threads(1);
    const at::Tensor one = trained(spec, compute);
    CHECK(at::equal(trained(spec, compute), one));
    set_threads(2);
    CHECK(at::equal(trained(spec, compute), one));
    set_threads(before);
    CHECK(!at::equal(trained(spec, compute, 8), one));
  }
}

TEST_CASE("stages: a critic of its own learns beside a policy that does not") {
  TinyRun tiny;
  PpoSpec spec = quick_ppo(constant_reward(1));
  spec.rl.iterations = 15;
  spec.rl.optimizer.learning_rate = 0;
  spec.critic.trunk = CriticTrunk::separate;
  spec.critic.learning_rate = 3e-3;
  spec.gae.lambda = 1;
  const at::Tensor before = start_of(tiny, spec);
  spec.run(tiny.run);
  const std::vector<double> loss = tiny.series("value_loss");
  CHECK(loss.front() == 0.5);  // the head starts at zero, every return is 1
  CHECK(loss.back() < 0.05);
  CHECK(tiny.series("value_mean").front() == 0);
  CHECK(tiny.series("value_mean").back() == doctest::Approx(1).epsilon(0.4));
  CHECK(!tiny.run.model->value.has_value());
  CHECK(at::equal(tiny.weights(), before));
}

TEST_CASE("stages: an answer without an end is worth less by the penalty") {
  TinyRun tiny;
  PpoSpec spec = quick_ppo(constant_reward(0));
  spec.rl.missing_eos_penalty = 2;
  spec.rl.sampling.max_tokens = 1;
  for (char c = ' '; c <= '~'; ++c) spec.rl.sampling.stop.push_back(std::string(1, c));
  spec.critic.clip = 0;
  spec.run(tiny.run);
  const double truncated = tiny.series("completions/clipped_ratio").at(0);
  REQUIRE(truncated > 0);
  REQUIRE(truncated < 1);
  // Values start at 0 and every episode has one token: the loss is ½·2² for each that was cut.
  CHECK(tiny.series("value_loss").at(0) == doctest::Approx(2 * truncated));
  CHECK(all_are(tiny.series("reward"), 0));
}

TEST_CASE("stages: more failed rewards than allowed stop the run with the reward's own words") {
  const auto fails = [](const Episode& episode) -> Score {
    return episode.sample == 0 ? Score::error("the judge is asleep") : Score{.value = 1};
  };
  TinyRun tiny;
  PpoSpec spec = quick_ppo(reward_of("judge", fails));
  const at::Tensor before = start_of(tiny, spec);
  HONE_CHECK_ERROR(service, spec.run(tiny.run), "8 episodes", "of 16", "0.05", "the judge is asleep");
  CHECK(at::equal(tiny.weights(), before));
}

TEST_CASE("stages: failed rewards that are allowed are counted and teach nothing") {
  // What a failed reward carries beside its error must not matter: no value, no part of a mean.
  const auto trained_with = [](double poison, std::vector<double>& errors, std::vector<double>& reward) {
    TinyRun tiny;
    PpoSpec spec = quick_ppo(reward_of("judge", [poison](const Episode& episode) {
      Score score{.value = episode.sample == 0 ? poison : static_cast<double>(episode.prompt.id % 3)};
      if (episode.sample == 0) score.status = ScoreStatus::error;
      return score;
    }));
    spec.rl.max_error_share = 0.5;
    spec.run(tiny.run);
    errors = tiny.series("reward_errors");
    reward = tiny.series("reward");
    return tiny.weights();
  };
  std::vector<double> errors, reward, other_reward;
  const at::Tensor weights = trained_with(0, errors, reward);
  CHECK(errors == std::vector<double>{8});
  CHECK(at::equal(trained_with(1e6, errors, other_reward), weights));
  CHECK(reward == other_reward);
}

TEST_CASE("stages: an iteration in which every reward failed leaves the weights alone when that is allowed") {
  TinyRun tiny;
  PpoSpec spec = four_steps();
  spec.rl.rewards = rewards_of(reward_of("judge", [](const Episode&) { return Score::error("asleep"); }));
  spec.rl.max_error_share = 1;
  const at::Tensor before = start_of(tiny, spec);
  spec.run(tiny.run);
  CHECK(all_are(tiny.series("reward_errors"), 16));
  CHECK(at::equal(tiny.weights(), before));
}

TEST_CASE("stages: a gradient that is not finite is skipped, and too many of them end the run") {
  TinyRun tiny;
  PpoSpec spec = quick_ppo(constant_reward(1));
  spec.critic.coefficient = 1e300;  // the value loss is finite as a double, its gradient infinite as a float
  spec.rl.iterations = 10;
  spec.rl.max_skipped_updates = 2;
  const at::Tensor before = start_of(tiny, spec);
  HONE_CHECK_ERROR(data, spec.run(tiny.run), "3 updates in a row", "not finite", "ppo_failed_batch.json");
  CHECK(std::filesystem::exists(tiny.run.directory / "ppo_failed_batch.json"));
  CHECK(all_are(tiny.series("skipped_updates"), 1));
  CHECK(at::equal(tiny.weights(), before));
}

TEST_CASE("stages: epochs end once the policy has moved far enough") {
  TinyRun tiny;
  PpoSpec spec = quick_ppo();
  spec.rl.epochs = 10;
  spec.rl.target_kl = 1e-5;
  spec.run(tiny.run);
  // The first epoch of one minibatch measures before its step, so the second is the first to see a difference.
  CHECK(tiny.series("epochs").at(0) == 2);
}

TEST_CASE("stages: ppo learns what is rewarded, unlearns what is punished, and nothing from shuffled rewards") {
  const auto learned = [](double sign, bool shuffled) {
    TinyRun tiny;
    PpoSpec spec = quick_ppo(low_ids(sign));
    spec.rl.prompts = 16;
    spec.rl.samples = 4;
    spec.rl.minibatch = 32;
    spec.rl.epochs = 2;
    spec.rl.iterations = 30;
    spec.rl.shuffle_rewards = shuffled;
    spec.rl.optimizer.learning_rate = 5e-3;
    spec.run(tiny.run);
    return std::pair(sign * tiny.series("reward").front(), sign * tiny.series("reward").back());
  };
  const auto [before, after] = learned(1, false);
  CHECK(before < 0.4);
  CHECK(after > 0.9);
  CHECK(learned(-1, false).second < 0.1);
  CHECK(learned(1, true).second < 0.5);
}

TEST_CASE("stages: truncated sampling teaches with weights when it is corrected") {
  TinyRun tiny;
  PpoSpec spec = quick_ppo();
  spec.rl.sampling.top_p = 0.8;
  spec.rl.truncated_sampling = TruncatedSampling::correct;
  const at::Tensor before = start_of(tiny, spec);
  spec.run(tiny.run);
  // The ratio is of the full distributions at sampling and in training, which truncation leaves alone.
  CHECK(all_are(tiny.series("ratio/max"), 1));
  CHECK(all_are(tiny.series("logprob_gap/max"), 0));
  const at::Tensor corrected = tiny.weights();
  CHECK(!at::equal(corrected, before));
  // The reader refuses what follows; here it shows that the weights took part.
  spec.rl.truncated_sampling = TruncatedSampling::refuse;
  CHECK(!at::equal(trained(spec), corrected));
}

TEST_CASE("stages: ppo stops when it is good enough, keeps checkpoints and shows samples") {
  TinyRun tiny;
  PpoSpec spec = quick_ppo();
  spec.rl.iterations = 5;
  spec.rl.checkpoint_every = 1;
  spec.rl.evaluation.every = 1;
  spec.rl.evaluation.sampled = true;
  spec.rl.stop_when.metric = "eval/reward";
  spec.rl.stop_when.at_least = -1;
  StageSummary summary = spec.run(tiny.run);
  CHECK(tiny.series("loss").empty());  // good enough before the first iteration
  spec.rl.stop_when = {};
  spec.rl.iterations = 2;
  summary = spec.run(tiny.run);
  CHECK(tiny.series("loss").size() == 2);
  CHECK(std::filesystem::exists(tiny.run.checkpoint_directory("ppo") / "step_2" / "config.json"));
  REQUIRE(summary.held_out.size() == 2);
  CHECK(summary.held_out[1].metric == "reward (sampled)");
  CHECK(summary.held_out[1].after.has_value());
  CHECK(tiny.text.find("ppo: samples before") != std::string::npos);
  CHECK(tiny.text.find("ppo: samples after") != std::string::npos);
}
