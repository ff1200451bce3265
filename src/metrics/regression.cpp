#include "metrics/regression.h"

#include <cmath>
#include <numeric>

#include "base/error.h"

namespace hone {

RegressionErrors regression_errors(std::span<const double> predictions, std::span<const double> labels) {
  HONE_ASSERT(predictions.size() == labels.size() && !labels.empty());
  const auto count = static_cast<double>(labels.size());
  const double mean = std::accumulate(labels.begin(), labels.end(), 0.0) / count;
  double squares = 0, absolutes = 0, spread = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double error = predictions[i] - labels[i];
    squares += error * error;
    absolutes += std::abs(error);
    spread += (labels[i] - mean) * (labels[i] - mean);
  }
  RegressionErrors errors{.mean_squared = squares / count, .mean_absolute = absolutes / count, .r2 = {}};
  if (spread > 0) errors.r2 = 1 - squares / spread;
  return errors;
}

}  // namespace hone
