#include "metrics/roc_auc.h"

#include <vector>

#include "base/error.h"
#include "metrics/ranks.h"

namespace hone {

std::optional<double> roc_auc(std::span<const double> scores, std::span<const std::uint8_t> positive) {
  HONE_ASSERT(scores.size() == positive.size());
  const std::vector<double> ranks = mean_ranks(scores);
  double rank_sum = 0, positives = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (positive[i] == 0) continue;
    rank_sum += ranks[i];
    ++positives;
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0) return std::nullopt;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);  // Mann-Whitney's U
}

std::optional<OneVersusRest> roc_auc_one_versus_rest(std::span<const double> scores,
                                                     std::span<const std::int64_t> labels, std::size_t classes) {
  HONE_ASSERT(scores.size() == labels.size() * classes);
  OneVersusRest sum;
  double counted = 0, weight = 0;
  std::vector<double> column(labels.size());
  std::vector<std::uint8_t> positive(labels.size());
  for (std::size_t c = 0; c < classes; ++c) {
    double support = 0;
    for (std::size_t row = 0; row < labels.size(); ++row) {
      column[row] = scores[row * classes + c];
      positive[row] = labels[row] == static_cast<std::int64_t>(c) ? 1 : 0;
      support += positive[row];
    }
    const std::optional<double> area = roc_auc(column, positive);
    if (!area) continue;
    sum.macro += *area;
    sum.weighted += *area * support;
    ++counted;
    weight += support;
  }
  if (counted == 0) return std::nullopt;
  return OneVersusRest{sum.macro / counted, sum.weighted / weight};
}

}  // namespace hone
