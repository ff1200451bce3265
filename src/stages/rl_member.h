#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "algo/batch.h"
#include "algo/loss_rows.h"
#include "algo/token_rewards.h"
#include "report/metrics.h"
#include "stages/pass_plan.h"
#include "stages/trainer_state.h"

namespace hone {

/// What one of the rewards gave each episode.
struct RewardPart {
  double weight = 1;
  at::Tensor value_S;  ///< its own values, clipped; 0 where it has no opinion
  at::Tensor valid_S;  ///< bool: it has one
};

/// What a collection was worth, before credit is assigned.
struct Verdicts {
  at::Tensor reward_T;     ///< score, penalties and spans at the rows they land on
  at::Tensor truncated_S;  ///< bool: ended by the token budget
  at::Tensor valid_S;      ///< bool: its score is not an error
  at::Tensor greedy_S;     ///< score of the greedy answer to the same prompt, NaN where it failed; undefined: not asked for
  std::vector<RowReward> spans;   ///< those in reward_T
  std::vector<RewardPart> parts;  ///< of every reward, in the order of the configuration
};

/// What the members of the family differ in. The loop knows neither critics nor groups.
///
/// Call order: use_passes, then (assign (loss_term* update_beside)*)* — loss_term once a micro-batch, update_beside once a minibatch.
class RlMember {
 public:
  virtual ~RlMember() = default;

  /// Iterations at the start in which the policy does not learn.
  virtual std::int64_t frozen_iterations() const { return 0; }
  /// How the gradient of what has weights of its own is cut into passes; once, before all else.
  virtual void use_passes(const PassPlan& passes) { (void)passes; }
  /// Bytes that it will take beside passes, and does not hold yet.
  virtual std::int64_t later_bytes() const { return 0; }

  /// Whether assign needs the scores of greedy answers.
  virtual bool needs_greedy() const { return false; }

  /// Turns rewards into batch.advantage_T (and whatever streams the member's own losses read); adds its metrics.
  virtual void assign(Batch& batch, const Verdicts& verdicts, MetricValues& metrics) = 0;

  /// A term that shares the policy's forward pass: hidden_MD are the counted rows of `micro`. Undefined: none.
  virtual at::Tensor loss_term(const at::Tensor& hidden_MD, const Batch& micro, const LossRows& rows) {
    (void)hidden_MD, (void)micro, (void)rows;
    return {};
  }

  /// Trains what has weights of its own, on the minibatch that the policy has just learned from. Returns false when that
  /// update was skipped because its gradient is not finite.
  virtual bool update_beside(const Batch& minibatch) {
    (void)minibatch;
    return true;
  }

  /// Metrics of the losses above since the last call.
  virtual void report(MetricValues& metrics) { (void)metrics; }

  /// What a checkpoint keeps of it between two iterations.
  virtual void exchange(TrainerState& state) { (void)state; }
};

}  // namespace hone
