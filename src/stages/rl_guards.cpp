#include "stages/rl_guards.h"

#include "base/error.h"

namespace hone {

void check_policy_lag(const Batch& batch, std::int64_t version) {
  const at::Tensor stale_T = (batch.version_T != version).logical_and(batch.mask_T != 0);
  const auto stale = stale_T.sum().item<std::int64_t>();
  if (stale == 0) return;
  fail(ErrorKind::internal, "{} of {} tokens were drawn by other weights (version {}) than those that learn from them ({})",
       stale, batch.mask_T.count_nonzero().item<std::int64_t>(),
       batch.version_T.masked_select(stale_T)[0].item<std::int64_t>(), version);
}

std::int64_t count_constant_rewards(const ScoreSummary& summary, std::int64_t in_a_row, std::int64_t patience) {
  if (summary.count == 0) return in_a_row;
  if (!summary.all_zero() && !summary.all_equal()) return 0;
  ++in_a_row;
  if (patience > 0 && in_a_row >= patience) {
    fail(ErrorKind::service,
         "{} iterations in a row had nothing to learn from (constant_reward_patience: {}); in the last, {}", in_a_row,
         patience, summary.complaint());
  }
  return in_a_row;
}

}  // namespace hone
