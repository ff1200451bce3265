#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "algo/kl.h"
#include "algo/loss_rows.h"
#include "algo/token_rewards.h"
#include "engine/engine.h"
#include "flow/environment.h"
#include "flow/reward.h"
#include "optim/optimizer.h"
#include "stages/curriculum.h"
#include "stages/evaluation.h"
#include "stages/stopping.h"

namespace hone {

enum class KlPlace { off, reward, loss };
inline constexpr std::array<std::string_view, 3> kl_place_names = {"off", "reward", "loss"};
enum class KlControl { fixed, adaptive };
inline constexpr std::array<std::string_view, 2> kl_control_names = {"fixed", "adaptive"};
enum class TruncatedSampling { refuse, correct };
inline constexpr std::array<std::string_view, 2> truncated_sampling_names = {"refuse", "correct"};

/// The penalty that keeps the policy near the weights that the stage started from.
struct KlConfig {
  KlPlace place = KlPlace::off;
  KlEstimator estimator = KlEstimator::k1;
  double coefficient = 0.05;
  KlControl control = KlControl::fixed;
  double target = 6;
  double horizon = 10000;
  void describe(Fields& f);
  KlController controller() const;
};

/// Rollouts that are kept in a file, and rollouts that come from one (rollout/record.h).
struct RolloutConfig {
  std::optional<std::string> record, replay;
  std::int64_t max_lag = 0;
  void describe(Fields& f);
};

/// Conventions of other trainers, for comparisons with them step by step. ppo only.
struct CompatConfig {
  ScorePosition score_position = ScorePosition::last_token;
  std::int64_t micro_batch = 0;
  bool scale_critic = false;
  void describe(Fields& f);
};

/// What the members of the PPO family share; how rewards become advantages is each member's own.
struct RlConfig {
  std::unique_ptr<EnvironmentSpec> environment;
  std::vector<std::unique_ptr<RewardSpec>> rewards;
  SamplingConfig sampling;
  EngineConfig engine;
  TruncatedSampling truncated_sampling = TruncatedSampling::refuse;

  std::int64_t iterations = 100;
  std::int64_t prompts = 64;
  std::int64_t samples = 1;
  std::int64_t epochs = 1;
  std::int64_t minibatch = 64;
  std::int64_t tokens_per_pass = 8192;
  std::int64_t max_turns = 8;
  std::int64_t max_episode_tokens = 0;

  OptimizerConfig optimizer;
  std::int64_t max_skipped_updates = 3;

  double clip_low = 0.2, clip_high = 0.2, dual_clip = 0;
  Aggregation aggregation = Aggregation::token_mean;
  std::int64_t constant_length = 0;
  double entropy_coefficient = 0;
  double missing_eos_penalty = 0;
  KlConfig kl;
  double target_kl = 0;
  double max_error_share = 0.05;
  std::int64_t error_window = 4;
  std::int64_t constant_reward_patience = 0;
  bool shuffle_rewards = false;

  EvaluationConfig evaluation;
  StoppingConfig stop_when;
  std::int64_t checkpoint_every = 0;
  RolloutConfig rollout;
  CurriculumConfig curriculum;
  CompatConfig compat;  ///< described by the stages that have it

  void describe(Fields& f);
  std::int64_t episodes() const { return prompts * samples; }
  std::int64_t minibatches() const { return (episodes() + minibatch - 1) / minibatch; }
  std::int64_t optimizer_steps() const { return iterations * epochs * minibatches(); }
  StageArithmetic arithmetic() const;
};

}  // namespace hone
