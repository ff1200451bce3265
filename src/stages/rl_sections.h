#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "algo/covariance.h"
#include "algo/entropy.h"
#include "algo/importance.h"
#include "algo/kl.h"
#include "algo/token_rewards.h"
#include "base/fields.h"

/// Sections of the configuration that the members of the PPO family share (stages/rl_config.h).
namespace hone {

enum class KlPlace { off, reward, loss };
inline constexpr std::array<std::string_view, 3> kl_place_names = {"off", "reward", "loss"};
enum class KlControl { fixed, adaptive };
inline constexpr std::array<std::string_view, 2> kl_control_names = {"fixed", "adaptive"};
enum class RolloutWeights { trained, int8 };
inline constexpr std::array<std::string_view, 2> rollout_weights_names = {"trained", "int8"};
enum class TruncatedSampling { refuse, correct };
inline constexpr std::array<std::string_view, 2> truncated_sampling_names = {"refuse", "correct"};

/// The penalty that keeps the policy near a reference: the weights that the stage started from, unless another is named.
struct KlConfig {
  KlPlace place = KlPlace::off;
  KlEstimator estimator = KlEstimator::k1;
  double coefficient = 0.05;
  KlControl control = KlControl::fixed;
  double target = 6;
  double horizon = 10000;
  bool ratio_weighted = false;
  std::optional<std::string> reference;
  std::int64_t reference_every = 0;
  double reference_mix = 1;
  void describe(Fields& f);
  KlController controller() const;
};

/// Rollouts that are kept in a file, rollouts that come from one (rollout/record.h), and what is drawn ahead of learning.
struct RolloutConfig {
  std::optional<std::string> record, replay;
  std::int64_t max_lag = 0;
  std::int64_t token_budget = 0;
  std::int64_t spare_prompts = 0;
  RolloutWeights weights = RolloutWeights::trained;
  void describe(Fields& f);
};

/// What is done about samples that another distribution drew than the policy that learns.
struct ImportanceConfig {
  bool recompute = false;
  RatioLevel level = RatioLevel::token;
  double cap = 2;
  std::optional<double> token_low, token_high, sequence_low, sequence_high, stale_above;
  void describe(Fields& f);
  ImportanceOptions options() const;
};

/// Which tokens entropy control picks.
struct CovarianceConfig : CovarianceOptions {
  void describe(Fields& f);
};

/// Groups of earlier iterations that are learned from again.
struct PastConfig {
  std::int64_t groups = 0;
  std::int64_t iterations = 4;
  void describe(Fields& f);
};

/// Conventions of other trainers, for comparisons with them step by step. ppo only.
struct CompatConfig {
  ScorePosition score_position = ScorePosition::last_token;
  std::int64_t micro_batch = 0;
  bool scale_critic = false;
  void describe(Fields& f);
};

}  // namespace hone
