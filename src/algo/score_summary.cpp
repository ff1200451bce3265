#include "algo/score_summary.h"

#include <fmt/format.h>

#include <cmath>

#include "algo/masked.h"
#include "base/error.h"

namespace hone {

ScoreSummary summarize_scores(const at::Tensor& score_S, const at::Tensor& valid_S) {
  HONE_ASSERT(!valid_S.defined() || valid_S.sizes() == score_S.sizes());
  const auto score = score_S.detach().to(at::kDouble);
  const auto valid = valid_S.defined() ? valid_S != 0 : at::ones(score.sizes(), at::kBool);
  const auto finite = score.isfinite();
  ScoreSummary summary;
  summary.usable_S = valid.logical_and(finite);
  summary.count = summary.usable_S.sum().item<std::int64_t>();
  summary.failed = valid.logical_not().sum().item<std::int64_t>();
  summary.non_finite = valid.logical_and(finite.logical_not()).sum().item<std::int64_t>();
  if (summary.count == 0) return summary;
  const auto used = score.masked_select(summary.usable_S);
  summary.mean = masked_mean(used, at::ones_like(used));
  summary.std = std::sqrt(masked_variance(used, at::ones_like(used)));
  summary.min = used.min().item<double>();
  summary.max = used.max().item<double>();
  return summary;
}

std::string ScoreSummary::complaint() const {
  const auto total = count + failed + non_finite;
  std::string text;
  const auto say = [&text](const std::string& sentence) { text += (text.empty() ? "" : "; ") + sentence; };
  if (non_finite > 0) say(fmt::format("{} of {} scores are NaN or infinite", non_finite, total));
  if (count == 0) {
    say(fmt::format("none of {} scores can be used ({} failed)", total, failed));
  } else if (all_zero()) {
    say(fmt::format("all {} scores are 0: the reward never fires", count));
  } else if (all_equal()) {
    say(fmt::format("all {} scores equal {}: nothing to learn from", count, min));
  }
  return text;
}

}  // namespace hone
