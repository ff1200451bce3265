#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "optim/optimizer.h"
#include "optim/weight_average.h"
#include "stages/checkpointer.h"
#include "stages/loss_passes.h"
#include "stages/past_groups.h"
#include "stages/reference.h"
#include "stages/rl_config.h"
#include "stages/rl_guards.h"
#include "stages/rl_member.h"
#include "stages/rl_metrics.h"
#include "stages/rollout_source.h"
#include "stages/stopwatch.h"

namespace hone {

/// The loop that PPO, GRPO and their relatives share. One iteration:
///
///     prompts ─► engine + environment ─► rewards ─► pack ─► reference log-probabilities, token rewards
///                                                                 │
///     next iteration ◄─ optimizer steps ◄─ clipped loss ◄─ member.assign: advantages
///
/// The policy lag is 0, so episodes are learned from before the next ones are drawn, unless rollout.max_lag allows 1:
/// then the next ones are generated while these are scored, or rollout.token_budget lets long ones go on for several
/// iterations (stages/rollout_source.h). Where an average of the weights is kept, it is what is evaluated, chosen among and
/// left at the end; the weights that learn draw the episodes and are the checkpoints'.
class RlLoop {
 public:
  /// Everything is borrowed and must outlive the loop. `stage` names the checkpoints and random streams;
  /// `critic_learning_rate` is for a value head on the policy's trunk.
  RlLoop(Run& run, const RlConfig& config, const std::string& stage, RlMember& member,
         std::optional<double> critic_learning_rate = std::nullopt);

  /// Takes up the stage where an earlier process left it, or starts it.
  StageSummary run();

 private:
  void learn();
  /// Collects, learns and reports.
  void iterate(std::int64_t iteration);
  void exchange(TrainerState& state);
  PassPlan plan_passes() const;
  /// `fresh` of the episodes are this iteration's, the others earlier ones.
  Batch make_batch(const std::vector<Episode>& episodes, std::size_t fresh, MetricValues& metrics);
  /// Log-probabilities by the weights of now.
  void recompute(Batch& batch) const;
  Verdicts verdicts_of(const std::vector<Episode>& episodes) const;
  at::Tensor token_rewards_of(Batch& batch, const std::vector<Episode>& episodes, Verdicts& verdicts,
                              MetricValues& metrics);
  /// Steers entropy and leaves out what is not to be learned from, once advantages are known.
  void control(Batch& batch, const Verdicts& verdicts) const;
  UpdateMetrics update(const Batch& batch, std::int64_t iteration);
  /// One optimizer step; returns the policy's metrics over it.
  PolicyMetrics learn_from(const Batch& minibatch, bool first, UpdateMetrics& metrics);
  /// The policy's part of it; false when the update was skipped.
  bool step_policy(const Batch& minibatch, const std::vector<LossPass>& passes, bool first, UpdateMetrics& metrics,
                   PolicyMetrics& policy);
  at::Tensor micro_loss(const Batch& micro, double denominator, bool first, UpdateMetrics& metrics,
                        PolicyMetrics& policy);
  void handle_skipped(const Batch& minibatch, bool skipped, UpdateMetrics& metrics);
  /// Measures after iteration_ and keeps the best weights.
  void evaluate();
  /// Evaluates and reports; fills the summary's figure before (iteration_ 0) or after.
  MetricValues measure();
  void show_samples(const std::string& when);
  /// Goes to the best weights, whose figures the summary then tells, or to the average.
  void adopt_final();

  Run& run_;
  const RlConfig& config_;
  const std::string& stage_;
  RlMember& member_;
  PassPlan passes_;
  RolloutSource source_;
  std::unique_ptr<Environment> own_evaluation_environment_;
  std::unique_ptr<RewardSum> own_evaluation_rewards_;
  std::unique_ptr<Evaluator> evaluator_;
  std::unique_ptr<Reference> reference_;
  Optimizer optimizer_;
  std::optional<WeightAverage> average_;
  KlController kl_;
  EntropyController entropy_;
  PastGroups past_;
  Stopping stopping_;
  BestWeights best_;
  StageSummary summary_;
  struct {
    double mean = 0;
    std::int64_t episodes = 0;
  } kl_seen_;  ///< of the iteration's episodes, before its updates
  Stopwatch watch_;
  std::int64_t iteration_ = 0;  ///< complete, but for its evaluation
  bool evaluation_due_ = true;
  std::string stop_;  ///< why the stage ends early; "": it does not
  std::int64_t skipped_in_a_row_ = 0;
  std::int64_t constant_rewards_ = 0;  ///< collections in a row whose scores are all equal
  ErrorWindow errors_;
  std::vector<std::int64_t> versions_;  ///< of the weights before each of the last iterations that are learned from
  Checkpointer checkpointer_;
};

}  // namespace hone
