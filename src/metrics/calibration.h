#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hone {

/// How far confidence is from accuracy, over bins of equal width of the confidence (Naeini et al. 2015; Guo et al.
/// 2017); a border belongs to the bin above it, and 1 to the last.
struct CalibrationError {
  double expected = 0;          ///< ECE: the mean gap, by the share of rows
  double root_mean_square = 0;  ///< the same of squares
  double greatest = 0;          ///< MCE: of the worst bin
};

/// `confidence` in [0, 1] of the predicted class, `right` whether it was the label. Equally long; 0 without rows.
CalibrationError calibration_error(std::span<const double> confidence, std::span<const std::uint8_t> right,
                                   std::size_t bins = 15);

}  // namespace hone
