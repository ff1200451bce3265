#include "metrics/calibration.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"

namespace hone {

CalibrationError calibration_error(std::span<const double> confidence, std::span<const std::uint8_t> right,
                                   std::size_t bins) {
  HONE_ASSERT(confidence.size() == right.size() && bins > 0);
  struct Bin {
    double rows = 0, confidence = 0, right = 0;
  };
  std::vector<Bin> filled(bins);
  for (std::size_t i = 0; i < confidence.size(); ++i) {
    const double place = std::clamp(confidence[i], 0.0, 1.0) * static_cast<double>(bins);
    Bin& bin = filled[std::min(static_cast<std::size_t>(place), bins - 1)];
    ++bin.rows;
    bin.confidence += confidence[i];
    bin.right += right[i] != 0 ? 1 : 0;
  }
  CalibrationError error;
  for (const Bin& bin : filled) {
    if (bin.rows == 0) continue;
    const double gap = std::abs(bin.right - bin.confidence) / bin.rows;
    const double share = bin.rows / static_cast<double>(confidence.size());
    error.expected += share * gap;
    error.root_mean_square += share * gap * gap;
    error.greatest = std::max(error.greatest, gap);
  }
  error.root_mean_square = std::sqrt(error.root_mean_square);
  return error;
}

}  // namespace hone
