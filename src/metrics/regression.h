#pragma once

#include <optional>
#include <span>

namespace hone {

struct RegressionErrors {
  double mean_squared = 0;
  double mean_absolute = 0;
  /// 1 − Σ(label − prediction)² / Σ(label − mean label)²; none when the labels are constant.
  std::optional<double> r2;
};

/// Equally long, at least one value.
RegressionErrors regression_errors(std::span<const double> predictions, std::span<const double> labels);

}  // namespace hone
