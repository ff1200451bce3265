#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace hone {

/// The value of a metric on some rows of a test set, in any order, a row perhaps several times. Called from several
/// threads at once. A value that is not finite (a correlation of a constant) leaves that sample out.
using RowMetric = std::function<double(std::span<const std::size_t> rows)>;

struct Resampling {
  std::int64_t samples = 1000;
  double confidence = 0.95;
  std::uint64_t seed = 0;
};

/// Between the quantiles (1 ± confidence)/2 of the metric over test sets drawn from the rows with replacement (Efron's
/// percentile interval). Both ends are the value itself when no sample could be scored.
struct Interval {
  double low = 0;
  double high = 0;
};
Interval bootstrap_interval(const RowMetric& metric, std::size_t rows, const Resampling& options);

/// Two systems on the same rows: row i of the first is i, of the second rows + i.
struct PairedDifference {
  double first = 0;
  double second = 0;
  double difference = 0;  ///< second − first
  Interval interval;      ///< of the difference, by drawing rows for both at once
  /// Of the hypothesis that both are as good: how often that distribution, shifted to 0, is as far from 0 as the
  /// difference.
  double bootstrap_p = 1;
  /// The same by exchanging the two outputs of each row with chance ½ (approximate randomisation, Riezler and Maxwell
  /// 2005).
  double randomization_p = 1;
};
PairedDifference compare_paired(const RowMetric& metric, std::size_t rows, const Resampling& options);

}  // namespace hone
