#include "stages/grpo.h"

#include "stages/tiny_rl.h"

using namespace hone;
using namespace hone::test;

namespace {

GrpoSpec quick_grpo(std::unique_ptr<RewardSpec> reward = low_ids()) {
  return quick<GrpoSpec>("grpo", std::move(reward));
}

}  // namespace

TEST_CASE("stages: grpo learns nothing from groups whose rewards are all equal") {
  for (const GroupBaseline baseline : {GroupBaseline::grpo, GroupBaseline::dr_grpo, GroupBaseline::rloo}) {
    TinyRun tiny;
    GrpoSpec spec = quick_grpo(constant_reward(0.3));
    spec.group.baseline = baseline;
    spec.rl.epochs = 2;
    spec.rl.iterations = 2;
    const at::Tensor before = tiny.weights();
    spec.run(tiny.run);
    CHECK(all_are(tiny.series("grad_norm"), 0));
    CHECK(all_are(tiny.series("frac_reward_zero_std"), 1));
    CHECK(all_are(tiny.series("ratio/max"), 1));
    CHECK(at::equal(tiny.weights(), before));
  }
}

TEST_CASE("stages: what all episodes of a prompt get alike does not count for grpo") {
  const auto trained = [](double bonus) {
    TinyRun tiny;
    GrpoSpec spec = quick_grpo(reward_of("bonus", [bonus](const Episode& episode) {
      const double own = episode.sample == 0 ? 1 : 0;
      return Score{.value = own + bonus * static_cast<double>(episode.prompt.id)};
    }));
    spec.run(tiny.run);
    CHECK(tiny.series("frac_reward_zero_std").at(0) == 0);
    return tiny.weights();
  };
  CHECK(at::equal(trained(0), trained(4)));
}

TEST_CASE("stages: before its first step grpo computes the very probabilities that were sampled with") {
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
    TinyRun tiny(compute);
    GrpoSpec spec = quick_grpo();
    spec.rl.iterations = 2;
    spec.rl.kl.place = KlPlace::loss;
    spec.rl.kl.estimator = KlEstimator::k3;
    spec.run(tiny.run);
    CHECK(all_are(tiny.series("ratio/max"), 1));
    CHECK(all_are(tiny.series("logprob_gap/max"), 0));
    CHECK(tiny.series("kl").at(0) == 0);
    CHECK(tiny.series("kl").at(1) != 0);
  }
}

TEST_CASE("stages: how many tokens are computed at once changes grpo in no way of aggregating losses") {
  for (const Aggregation aggregation :
       {Aggregation::token_mean, Aggregation::sequence_mean, Aggregation::constant_length}) {
    const auto trained = [aggregation](std::int64_t tokens) {
      TinyRun tiny;
      GrpoSpec spec = quick_grpo();
      spec.rl.epochs = 2;
      spec.rl.minibatch = 8;
      spec.rl.aggregation = aggregation;
      spec.rl.constant_length = 4;
      spec.rl.tokens_per_pass = tokens;
      spec.rl.optimizer.eps = 1e-3;
      spec.run(tiny.run);
      return tiny.weights();
    };
    const at::Tensor at_once = trained(8192), in_parts = trained(9), before = TinyRun().weights();
    CHECK(difference(in_parts, at_once, before) < 1e-4);
    CHECK(((in_parts - at_once).norm() / at_once.norm()).item<double>() < 1e-6);
  }
}

TEST_CASE("stages: grpo prefers answers with an end when missing ones are punished") {
  TinyRun tiny;
  GrpoSpec spec = quick_grpo(constant_reward(0));
  spec.rl.missing_eos_penalty = 1;
  spec.rl.prompts = 16;
  spec.rl.samples = 8;
  spec.rl.minibatch = 64;
  spec.rl.iterations = 20;
  spec.rl.sampling.max_tokens = 3;
  for (char c = ' '; c <= '~'; ++c) spec.rl.sampling.stop.push_back(std::string(1, c));
  spec.rl.optimizer.learning_rate = 5e-3;
  spec.run(tiny.run);
  const std::vector<double> truncated = tiny.series("completions/clipped_ratio");
  CHECK(truncated.front() > 0.1);
  CHECK(truncated.back() < 0.05);
}

TEST_CASE("stages: grpo learns what is rewarded") {
  TinyRun tiny;
  GrpoSpec spec = quick_grpo();
  spec.rl.prompts = 16;
  spec.rl.samples = 4;
  spec.rl.minibatch = 32;
  spec.rl.epochs = 2;
  spec.rl.iterations = 30;
  spec.rl.optimizer.learning_rate = 5e-3;
  spec.run(tiny.run);
  CHECK(tiny.series("reward").front() < 0.4);
  CHECK(tiny.series("reward").back() > 0.9);
}
