#include "stages/grpo_member.h"

#include "algo/gae.h"
#include "algo/loss_rows.h"
#include "algo/masked.h"

namespace hone {

namespace {

at::Tensor sum_by_sequence(const at::Tensor& reward_T, const Batch& batch) {
  return at::zeros({batch.sequences()}, reward_T.options()).index_add_(0, sequence_of_rows(batch.start_S1), reward_T);
}

/// The spans at their rows.
at::Tensor spans_of(const Verdicts& verdicts) {
  at::Tensor span_T = at::zeros_like(verdicts.reward_T);
  for (const RowReward& span : verdicts.spans) span_T[span.row] += span.value;
  return span_T;
}

}  // namespace

GroupAdvantages GrpoMember::compare(const at::Tensor& reward_S, const Batch& batch, const Verdicts& verdicts) const {
  const GroupAdvantages whole =
      group_advantage(reward_S, batch.group_S, verdicts.valid_S, spec_.group, verdicts.greedy_S);
  if (spec_.compare == CompareRewards::sum) return whole;
  GroupAdvantages each = whole;
  each.advantage_S = at::zeros_like(whole.advantage_S);
  for (const RewardPart& part : verdicts.parts) {
    const GroupAdvantages own = group_advantage(part.value_S, batch.group_S, part.valid_S, spec_.group);
    each.advantage_S += part.weight * own.advantage_S;
  }
  return each;
}

at::Tensor GrpoMember::to_come(const at::Tensor& reward_T, const Batch& batch) const {
  return gae(reward_T, at::zeros_like(reward_T), batch.start_S1, batch.mask_T, {}, {.gamma = spec_.gamma, .lambda = 1})
      .return_T;
}

at::Tensor GrpoMember::spread(const GroupAdvantages& group, const at::Tensor& reward_T, const Batch& batch) const {
  const at::Tensor sequence_T = sequence_of_rows(batch.start_S1);
  if (spec_.credit != Credit::to_come) return group.advantage_S.index_select(0, sequence_T);
  const at::Tensor compared_T = to_come(reward_T, batch) - group.baseline_S.index_select(0, sequence_T);
  return compared_T * group.scale_S.index_select(0, sequence_T);
}

at::Tensor GrpoMember::process(const Batch& batch, const Verdicts& verdicts) const {
  const auto count = static_cast<std::int64_t>(verdicts.spans.size());
  at::Tensor value_K = at::empty({count}, at::kDouble), row_K = at::empty({count}, at::kLong);
  for (std::int64_t k = 0; k < count; ++k) {
    value_K[k] = verdicts.spans[static_cast<std::size_t>(k)].value;
    row_K[k] = verdicts.spans[static_cast<std::size_t>(k)].row;
  }
  const at::Tensor sequence_K = sequence_of_rows(batch.start_S1).index_select(0, row_K);
  const GroupAdvantages steps = group_advantage(value_K, batch.group_S.index_select(0, sequence_K),
                                                verdicts.valid_S.index_select(0, sequence_K), spec_.group);
  const at::Tensor step_T = at::zeros(batch.mask_T.sizes(), at::kDouble).index_add_(0, row_K, steps.advantage_S);
  return to_come(step_T, batch);
}

void GrpoMember::assign(Batch& batch, const Verdicts& verdicts, MetricValues& metrics) {
  at::Tensor reward_T = verdicts.reward_T;
  if (spec_.credit == Credit::process) reward_T = reward_T - spans_of(verdicts);
  GroupAdvantages group = compare(sum_by_sequence(reward_T, batch), batch, verdicts);
  if (spec_.whiten == Whiten::episodes) group.advantage_S = masked_whiten(group.advantage_S, verdicts.valid_S);
  at::Tensor advantage_T = spread(group, reward_T, batch);
  if (spec_.credit == Credit::process) advantage_T = advantage_T + process(batch, verdicts);
  if (spec_.whiten == Whiten::tokens) advantage_T = masked_whiten(advantage_T, batch.mask_T);
  batch.advantage_T = advantage_T.to(at::kFloat) * batch.mask_T;
  metrics.emplace_back("frac_reward_zero_std", group.zero_std_share());
  if (group.small_groups > 0) metrics.emplace_back("small_groups", static_cast<double>(group.small_groups));
}

}  // namespace hone
