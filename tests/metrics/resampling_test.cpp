#include "metrics/resampling.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/threads.h"

namespace hone {

namespace {

RowMetric mean_of(const std::vector<double>& values) {
  return [&values](std::span<const std::size_t> rows) {
    double sum = 0;
    for (const std::size_t row : rows) sum += values[row];
    return sum / static_cast<double>(rows.size());
  };
}

}  // namespace

TEST_CASE("metrics: a bootstrap interval of a mean is that of the normal distribution") {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(i % 4 == 0 ? 1 : 0);
  const Interval interval = bootstrap_interval(mean_of(values), values.size(), {.samples = 4000});
  const double half = 1.96 * std::sqrt(0.25 * 0.75 / 400);
  CHECK(interval.low == doctest::Approx(0.25 - half).epsilon(0.03));
  CHECK(interval.high == doctest::Approx(0.25 + half).epsilon(0.03));
}

TEST_CASE("metrics: resampling depends on the seed, not on the number of threads") {
  const std::vector<double> values{3.1, 1.04, 4.6, 1.7, 5.9, 9.3, 2.8, 6.2};
  const Interval one = bootstrap_interval(mean_of(values), values.size(), {.samples = 100});
  const int before = threads();
  set_threads(3);
  const Interval three = bootstrap_interval(mean_of(values), values.size(), {.samples = 100});
  set_threads(before);
  CHECK(one.low == three.low);
  CHECK(one.high == three.high);
  CHECK(bootstrap_interval(mean_of(values), values.size(), {.samples = 100, .seed = 1}).low != one.low);
}

TEST_CASE("metrics: randomisation of right and wrong rows is the exact sign test") {
  // 60 rows: both right in 30, only the first in 6, only the second in 14, none in 10.
  std::vector<double> values;
  for (int i = 0; i < 60; ++i) values.push_back(i < 36 ? 1 : 0);
  for (int i = 0; i < 60; ++i) values.push_back(i < 30 || (i >= 36 && i < 50) ? 1 : 0);
  const PairedDifference result = compare_paired(mean_of(values), 60, {.samples = 20000});
  CHECK(result.first == doctest::Approx(0.6));
  CHECK(result.difference == doctest::Approx(8.0 / 60));
  CHECK(result.randomization_p == doctest::Approx(0.115318).epsilon(0.08));  // binomial, 6 of 20, two-sided
  CHECK(result.bootstrap_p == doctest::Approx(0.0680).epsilon(0.25));        // normal: 8 / sqrt(20 - 64/60), two-sided
  CHECK(result.interval.low <= 0);
  CHECK(result.interval.high > 0.25);
}

TEST_CASE("metrics: equal outputs do not differ, and nothing differs without rows") {
  const std::vector<double> values{1, 0, 1, 1, 1, 0, 1, 1};
  const PairedDifference same = compare_paired(mean_of(values), 4, {.samples = 200});
  CHECK(same.difference == 0.0);
  CHECK(same.bootstrap_p == 1.0);
  CHECK(same.randomization_p == 1.0);
  CHECK(compare_paired(mean_of(values), 0, {}).bootstrap_p == 1.0);
}

TEST_CASE("metrics: samples without a value are left out") {
  const RowMetric undefined = [](std::span<const std::size_t>) { return std::numeric_limits<double>::quiet_NaN(); };
  const Interval interval = bootstrap_interval(undefined, 3, {.samples = 10});
  CHECK(std::isnan(interval.low));
  CHECK(compare_paired(undefined, 3, {.samples = 10}).bootstrap_p == 1.0);
}

}  // namespace hone
