#pragma once

#include "stages/grpo.h"
#include "stages/rl_member.h"

namespace hone {

/// Advantages without a critic.
class GrpoMember : public RlMember {
 public:
  /// Borrowed.
  explicit GrpoMember(const GrpoSpec& spec) : spec_(spec) {}

  bool needs_greedy() const override { return spec_.group.baseline == GroupBaseline::greedy; }
  void assign(Batch& batch, const Verdicts& verdicts, MetricValues& metrics) override;

 private:
  /// Of each episode, by the weighted sum of its rewards (reward_S) or by each of them.
  GroupAdvantages compare(const at::Tensor& reward_S, const Batch& batch, const Verdicts& verdicts) const;
  /// Of each token, from what the episode's comparison made of its rewards.
  at::Tensor spread(const GroupAdvantages& group, const at::Tensor& reward_T, const Batch& batch) const;
  /// From the rewards in the middle of episodes, each compared with its group's.
  at::Tensor process(const Batch& batch, const Verdicts& verdicts) const;
  at::Tensor to_come(const at::Tensor& reward_T, const Batch& batch) const;

  const GrpoSpec& spec_;
};

}  // namespace hone
