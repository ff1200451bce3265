#include "stages/rl_guards.h"

#include <numeric>

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"
#include "rollout/scoring.h"

namespace hone {

void check_policy_lag(const Batch& batch, std::int64_t oldest, std::int64_t newest) {
  const at::Tensor outside_T = (batch.version_T < oldest).logical_or(batch.version_T > newest);
  const at::Tensor stale_T = outside_T.logical_and(batch.mask_T != 0);
  const auto stale = stale_T.sum().item<std::int64_t>();
  if (stale == 0) return;
  fail(ErrorKind::internal, "{} of {} tokens were drawn by other weights (version {}) than may be learned from ({} to {})",
       stale, batch.mask_T.count_nonzero().item<std::int64_t>(),
       batch.version_T.masked_select(stale_T)[0].item<std::int64_t>(), oldest, newest);
}

namespace {

constexpr std::size_t failures_shown = 3;
constexpr std::size_t text_shown = 60;

/// `prompt 14 "37+58=" → "95": judge: took too long`, for the first episodes that failed.
std::string first_failures(std::span<const Episode> episodes) {
  std::string text;
  std::size_t shown = 0;
  for (const Episode& episode : episodes) {
    if (episode.score.status != ScoreStatus::error || shown == failures_shown) continue;
    text += fmt::format("\n  prompt {} \"{}\" → \"{}\": {}", episode.prompt.id,
                        valid_utf8(episode.prompt.text.substr(0, text_shown)),
                        valid_utf8(episode.completion_text().substr(0, text_shown)), episode.score.note);
    ++shown;
  }
  return text;
}

}  // namespace

void ErrorWindow::observe(std::span<const Episode> episodes) {
  errors_.push_back(count_errors(episodes));
  if (errors_.back() > 0) {
    log_warn("rewards failed for {} of {} episodes:{}", errors_.back(), episodes.size(), first_failures(episodes));
  }
  if (static_cast<std::int64_t>(errors_.size()) > iterations_) errors_.erase(errors_.begin());
  const std::int64_t errors = std::accumulate(errors_.begin(), errors_.end(), std::int64_t{0});
  const double allowed = share_ * static_cast<double>(iterations_) * static_cast<double>(episodes.size());
  if (static_cast<double>(errors) <= allowed) return;
  const std::size_t iterations = errors_.size();
  errors_.clear();  // the run may go on from here once the reward is mended
  fail(ErrorKind::service,
       "rewards failed for {} episodes in the last {} iterations of {} each; max_error_share {} over error_window {} allows "
       "{}; the last failures:{}",
       errors, iterations, episodes.size(), share_, iterations_, static_cast<std::int64_t>(allowed),
       first_failures(episodes));
}

void ErrorWindow::exchange(TrainerState& state) {
  Json::Array counts(errors_.begin(), errors_.end());
  Json json(std::move(counts));
  state.value("errors_in_window", json);
  if (!state.restoring()) return;
  errors_.clear();
  for (const Json& count : json.as_array()) errors_.push_back(count.as_integer());
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
