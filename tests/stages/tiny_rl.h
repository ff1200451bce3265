#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "rollout/function_reward.h"
#include "stages/rl_config.h"
#include "stages/tiny_run.h"

namespace hone::test {

/// Share of the written tokens whose id is below 64: a quarter before training, and learned in seconds.
inline std::unique_ptr<RewardSpec> low_ids(double sign = 1) {
  return reward_of("low_ids", [sign](const Episode& episode) {
    double low = 0, count = 0;
    for (const Turn& turn : episode.turns) {
      for (const std::int32_t id : turn.completion.ids) {
        low += id < 64 ? 1 : 0;
        ++count;
      }
    }
    return Score{.value = sign * low / count};
  });
}

inline std::unique_ptr<RewardSpec> constant_reward(double value) {
  return reward_of("constant", [value](const Episode&) { return Score{.value = value}; });
}

/// One iteration of 16 episodes of at most 4 tokens, one epoch, one minibatch.
inline void make_quick(RlConfig& rl, std::unique_ptr<RewardSpec> reward = low_ids()) {
  rl.environment = std::make_unique<FirstLetterSpec>();
  rl.rewards = rewards_of(std::move(reward));
  rl.sampling.max_tokens = 4;
  rl.iterations = 1;
  rl.prompts = 8;
  rl.samples = 2;
  rl.epochs = 1;
  rl.minibatch = 16;
  rl.optimizer.learning_rate = 1e-3;
  rl.evaluation.prompts = 2;
  rl.evaluation.sampled = false;
  rl.evaluation.sampling.max_tokens = 2;
}

template <class Spec>
Spec quick(const std::string& kind, std::unique_ptr<RewardSpec> reward = low_ids()) {
  Spec spec;
  spec.kind = spec.name = kind;
  make_quick(spec.rl, std::move(reward));
  return spec;
}

/// ‖a - b‖ / ‖b - start‖: how far two trainings differ, by what they learned.
inline double difference(const at::Tensor& a, const at::Tensor& b, const at::Tensor& start) {
  const at::Tensor learned = (b - start).to(at::kDouble);
  return ((a - b).to(at::kDouble).norm() / learned.norm()).item<double>();
}

inline bool all_are(const std::vector<double>& values, double value) {
  return !values.empty() && std::all_of(values.begin(), values.end(), [value](double x) { return x == value; });
}

}  // namespace hone::test
