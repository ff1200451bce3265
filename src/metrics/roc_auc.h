#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace hone {

/// Area under the ROC curve: the chance that a positive row has a higher score than a negative one, ties counting half.
/// None when all rows are of one class. Scores are finite.
std::optional<double> roc_auc(std::span<const double> scores, std::span<const std::uint8_t> positive);

/// Each class against the rest, averaged over classes that occur and are not all (plainly, or by their number of rows).
/// `scores` are row-major [rows, classes]. None when no class can be scored.
struct OneVersusRest {
  double macro = 0;
  double weighted = 0;
};
std::optional<OneVersusRest> roc_auc_one_versus_rest(std::span<const double> scores,
                                                     std::span<const std::int64_t> labels, std::size_t classes);

}  // namespace hone
