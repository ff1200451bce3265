// What steers reinforcement learning beside the algorithm: which groups are learned from, what holds the policy back.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "stages/grpo_presets.h"
#include "stages/ppo.h"
#include "stages/tiny_rl.h"

using namespace hone;
using namespace hone::test;

namespace {

/// 1 for half of the answers to every second prompt; answers to the others are worth the same.
std::unique_ptr<RewardSpec> half_of_the_prompts() {
  return reward_of("half", [](const Episode& episode) {
    const bool teaches = (episode.prompt.id >> 1) % 2 == 0;
    return Score{.value = teaches && episode.sample % 2 == 0 ? 1.0 : 0.0};
  });
}

}  // namespace

TEST_CASE("stages: dynamic sampling replaces groups that teach nothing, round by round") {
  const auto learn = [](std::int64_t rounds, TinyRun& tiny, std::unique_ptr<RewardSpec> reward) {
    GrpoSpec spec = quick<GrpoSpec>("dapo", std::move(reward));
    spec.rl.iterations = 2;
    spec.rl.dynamic_sampling = rounds;
    spec.run(tiny.run);
  };
  TinyRun without, with, hopeless;
  learn(0, without, half_of_the_prompts());
  CHECK(without.series("frac_reward_zero_std").at(0) > 0);
  CHECK(without.series("dynamic_sampling/rounds").empty());
  learn(10, with, half_of_the_prompts());
  CHECK(all_are(with.series("frac_reward_zero_std"), 0));
  CHECK(with.series("dynamic_sampling/rounds").at(0) >= 1);
  CHECK(with.series("dynamic_sampling/kept").at(0) < 1);
  CHECK(with.series("reward").at(0) == doctest::Approx(0.5));
  CHECK(with.series("dynamic_sampling/reward").at(0) < 0.5);
  learn(3, hopeless, constant_reward(1));
  CHECK(all_are(hopeless.series("dynamic_sampling/rounds"), 3));
  CHECK(all_are(hopeless.series("dynamic_sampling/kept"), 0));
  CHECK(all_are(hopeless.series("frac_reward_zero_std"), 1));
}

TEST_CASE("stages: further rounds draw anew, also for a prompt that was drawn before") {
  std::vector<std::string> texts;
  GrpoSpec spec = quick<GrpoSpec>("dapo", reward_of("kept", [&texts](const Episode& episode) {
    texts.push_back(std::to_string(episode.prompt.id) + "/" + std::to_string(episode.sample) + " " + episode.completion_text());
    return Score{.value = 0};
  }));
  spec.rl.prompts = 28;  // every training prompt in every round
  spec.rl.minibatch = 56;
  spec.rl.dynamic_sampling = 1;
  TinyRun tiny;
  spec.run(tiny.run);
  std::sort(texts.begin(), texts.end());
  const auto again = std::unique(texts.begin(), texts.end());
  CHECK(again - texts.begin() > 100);  // of 112 and the evaluation's
}

TEST_CASE("stages: groups of the past are learned from again, against the weights that drew them") {
  const auto learn = [](bool recompute, TinyRun& tiny) {
    GrpoSpec spec = quick<GrpoSpec>("grpo");
    spec.rl.iterations = 4;
    spec.rl.prompts = 4;
    spec.rl.minibatch = 16;
    spec.rl.past = {.groups = 4, .iterations = 2};
    spec.rl.importance.recompute = recompute;
    spec.rl.optimizer.learning_rate = 3e-3;
    CHECK(spec.rl.optimizer_steps() == 4);
    spec.run(tiny.run);
  };
  TinyRun plain, corrected;
  learn(false, plain);
  CHECK(plain.series("ratio/max").at(0) == 1);
  CHECK(plain.series("ratio/max").at(3) > 1);
  CHECK(plain.series("importance/mean").empty());
  learn(true, corrected);
  CHECK(all_are(corrected.series("ratio/max"), 1));
  CHECK(corrected.series("importance/mean").at(0) == 1);
  CHECK(corrected.series("importance/mean").at(3) != 1);
  CHECK(all_are(corrected.series("logprob_gap/max"), 0));
}

TEST_CASE("stages: episodes drawn from int8 weights are learned from with the weights of the trained ones") {
  const auto learn = [](RolloutWeights weights, TinyRun& tiny) {
    GrpoSpec spec = quick<GrpoSpec>("grpo");
    spec.rl.iterations = 30;
    spec.rl.optimizer.learning_rate = 1e-2;
    spec.rl.rollout.weights = weights;
    spec.rl.importance.recompute = true;
    spec.run(tiny.run);
  };
  TinyRun trained, cheap;
  learn(RolloutWeights::trained, trained);
  learn(RolloutWeights::int8, cheap);
  CHECK(all_are(trained.series("importance/mean"), 1));
  CHECK(cheap.series("importance/mean").at(0) != 1);
  CHECK(cheap.series("importance/mean").at(0) == doctest::Approx(1).epsilon(0.05));
  CHECK(all_are(cheap.series("logprob_gap/max"), 0));  // scoring and training read the same copies
  CHECK(trained.series("reward").at(29) > 0.8);
  CHECK(cheap.series("reward").at(29) > 0.8);
}

TEST_CASE("stages: truncated answers are judged but not learned from when that is asked for") {
  TinyRun tiny;
  GrpoSpec spec = quick<GrpoSpec>("grpo");
  spec.rl.mask_truncated = true;
  spec.rl.sampling.max_tokens = 1;  // all but those that end at once
  spec.rl.iterations = 1;
  const at::Tensor before = tiny.weights();
  spec.run(tiny.run);
  CHECK(tiny.series("completions/clipped_ratio").at(0) == 1);
  CHECK(tiny.series("reward").at(0) > 0);
  CHECK(at::equal(tiny.weights(), before));
}

TEST_CASE("stages: a reference that follows the policy is never far from it") {
  const auto kl = [](double mix) {
    TinyRun tiny;
    GrpoSpec spec = quick<GrpoSpec>("grpo");
    spec.rl.iterations = 4;
    spec.rl.optimizer.learning_rate = 3e-3;
    spec.rl.kl = {.place = KlPlace::loss, .estimator = KlEstimator::k2, .coefficient = 0};
    spec.rl.kl.reference_every = mix > 0 ? 1 : 0;
    spec.rl.kl.reference_mix = mix > 0 ? mix : 1;
    spec.run(tiny.run);
    return tiny.series("kl").at(3);
  };
  CHECK(kl(1) == 0);
  CHECK(std::abs(kl(0.5)) > 0);
  CHECK(std::abs(kl(0.5)) < std::abs(kl(0)));
}

TEST_CASE("stages: tokens of high covariance teach nothing, or are held near the old policy") {
  const auto learn = [](const CovarianceConfig& covariance, TinyRun& tiny) {
    GrpoSpec spec = quick<GrpoSpec>("grpo");
    spec.rl.epochs = 3;
    spec.rl.optimizer.learning_rate = 3e-3;
    spec.rl.covariance = covariance;
    const at::Tensor before = tiny.weights();
    spec.run(tiny.run);
    return (tiny.weights() - before).norm().item<double>();
  };
  const double inf = std::numeric_limits<double>::infinity();
  TinyRun off, clipped, held;
  const double free = learn({}, off);
  CHECK(learn({{.control = CovarianceControl::clip, .share = 1, .low = -inf, .high = inf}}, clipped) == 0);
  CHECK(learn({{.control = CovarianceControl::kl, .share = 1, .coefficient = 10}}, held) > 0);
  CHECK(held.series("approx_kl").at(0) < off.series("approx_kl").at(0));
  CHECK(free > 0);
}

TEST_CASE("stages: an entropy bonus with a target moves towards it") {
  TinyRun tiny;
  GrpoSpec spec = quick<GrpoSpec>("grpo");
  spec.rl.iterations = 3;
  spec.rl.entropy_coefficient = 0.01;
  spec.rl.entropy_target = 100;
  spec.run(tiny.run);
  CHECK(tiny.series("entropy_coefficient").at(0) == 0.01);
  CHECK(tiny.series("entropy_coefficient").at(2) == doctest::Approx(0.02));
  TinyRun above;
  spec.rl.entropy_target = 0;
  spec.run(above.run);
  CHECK(above.series("entropy_coefficient").at(1) == 0);
}

TEST_CASE("stages: while a critic warms up the policy stays, then both learn") {
  const auto moved = [](std::int64_t iterations, TinyRun& tiny) {
    PpoSpec spec = quick<PpoSpec>("ppo");
    spec.rl.iterations = iterations;
    spec.critic.trunk = CriticTrunk::separate;
    spec.critic.warmup_iterations = 3;
    spec.critic.lambda = 1;
    const at::Tensor before = tiny.weights();
    spec.run(tiny.run);
    return !at::equal(tiny.weights(), before);
  };
  TinyRun warm, learned;
  CHECK(!moved(3, warm));
  CHECK(warm.series("value_mean").at(0) == 0);
  CHECK(warm.series("value_mean").at(2) != 0);
  CHECK(moved(4, learned));
}

TEST_CASE("stages: a critic that begins with something else than a reward model is refused") {
  TinyRun tiny;
  PpoSpec spec = quick<PpoSpec>("ppo");
  spec.critic.trunk = CriticTrunk::separate;
  spec.critic.from = "nowhere";
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "nowhere");
}

TEST_CASE("stages: every named relative of grpo learns what is rewarded") {
  const auto rises = [](GrpoSpec&& spec, const char* kind) {
    CAPTURE(kind);
    TinyRun tiny;
    spec.kind = spec.name = kind;
    const std::int64_t samples = std::min<std::int64_t>(spec.rl.samples, 4);
    make_quick(spec.rl);
    spec.rl.samples = samples;
    spec.rl.prompts = 64 / samples;
    spec.rl.minibatch = 32;
    spec.rl.epochs = 2;
    spec.rl.iterations = 20;
    spec.rl.dynamic_sampling = std::min<std::int64_t>(spec.rl.dynamic_sampling, 1);
    spec.rl.optimizer.learning_rate = 5e-3;
    spec.run(tiny.run);
    CHECK(tiny.series("reward").front() < 0.4);
    CHECK(tiny.series("reward").back() > tiny.series("reward").front() + 0.3);
  };
  rises(DrGrpoSpec(), "dr_grpo");
  rises(RlooSpec(), "rloo");
  rises(ReinforcePlusPlusSpec(), "reinforce_plus_plus");
  rises(RemaxSpec(), "remax");
  rises(GspoSpec(), "gspo");
  rises(CispoSpec(), "cispo");
  rises(DapoSpec(), "dapo");
  rises(SapoSpec(), "sapo");
  rises(GdpoSpec(), "gdpo");
}
