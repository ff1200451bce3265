#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "algo/loss_rows.h"
#include "algo/policy_loss.h"
#include "engine/engine.h"
#include "flow/environment.h"
#include "flow/reward.h"
#include "optim/optimizer.h"
#include "stages/curriculum.h"
#include "stages/evaluation.h"
#include "stages/pass_plan.h"
#include "stages/rl_sections.h"
#include "stages/stopping.h"

namespace hone {

/// What the members of the PPO family share; how rewards become advantages is each member's own.
struct RlConfig {
  std::unique_ptr<EnvironmentSpec> environment;
  std::vector<std::unique_ptr<RewardSpec>> rewards;
  SamplingConfig sampling;
  EngineConfig engine;
  TruncatedSampling truncated_sampling = TruncatedSampling::refuse;
  std::int64_t dynamic_sampling = 0;

  std::int64_t iterations = 100;
  std::int64_t prompts = 64;
  std::int64_t samples = 1;
  std::int64_t epochs = 1;
  std::int64_t minibatch = 64;
  TokensPerPass tokens_per_pass;
  bool gradient_checkpointing = false;
  std::string memory = "auto";
  std::int64_t max_turns = 8;
  std::int64_t max_episode_tokens = 0;

  OptimizerConfig optimizer;
  double average_decay = 0;
  std::int64_t max_skipped_updates = 3;

  RatioLevel ratio = RatioLevel::token;
  ClipKind clip = ClipKind::surrogate;
  double clip_low = 0.2, clip_high = 0.2, dual_clip = 0;
  Aggregation aggregation = Aggregation::token_mean;
  std::int64_t constant_length = 0;
  double entropy_coefficient = 0;
  std::optional<double> entropy_target;
  double entropy_step = 0.005;
  CovarianceConfig covariance;
  ImportanceConfig importance;
  double missing_eos_penalty = 0;
  bool mask_truncated = false;
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
  PastConfig past;
  CurriculumConfig curriculum;
  CompatConfig compat;  ///< described by the stages that have it

  void describe(Fields& f);
  std::int64_t episodes() const { return prompts * samples; }
  /// Optimizer steps of an epoch over so many episodes.
  std::int64_t minibatches(std::int64_t learned) const { return (learned + minibatch - 1) / minibatch; }
  /// Of all iterations but the first `without`.
  std::int64_t optimizer_steps(std::int64_t without = 0) const;
  /// How many iterations before the one that learns from them episodes may have been begun.
  std::int64_t reach() const;
  /// What constant_length divides by.
  std::int64_t length_constant() const;
  /// Whether the sampler's distribution is not the recomputed old policy's.
  bool corrects() const { return truncated_sampling == TruncatedSampling::correct || importance.recompute; }
  PolicyLossOptions policy_loss_options() const;
  EntropyController entropy_controller() const;
  StageArithmetic arithmetic() const;
  /// The data sets of the environments.
  std::vector<std::string> data_names() const;
  /// As hone::require_prompts, of all that is learned from and looked at.
  void require_prompts(Run& run) const;

 private:
  void describe_collection(Fields& f);
  void describe_loss(Fields& f);
  void describe_guards(Fields& f);
  void check_rules(Fields& f) const;
};

}  // namespace hone
