#include "metrics/resampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "base/threads.h"

namespace hone {

namespace {

std::vector<std::size_t> all_rows(std::size_t rows, std::size_t first = 0) {
  std::vector<std::size_t> all(rows);
  std::iota(all.begin(), all.end(), first);
  return all;
}

/// value(random) for each sample, in their order; what is not finite is left out.
template <class Value>
std::vector<double> sampled(const Resampling& options, std::string_view purpose, const Value& value) {
  const std::uint64_t key = stream_key(options.seed, purpose);
  std::vector<double> values(static_cast<std::size_t>(options.samples));
  parallel_for(options.samples, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      values[static_cast<std::size_t>(i)] = value(Random(key, static_cast<std::uint64_t>(i)));
    }
  });
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  return values;
}

std::vector<std::size_t> drawn(std::size_t rows, Random random) {
  std::vector<std::size_t> chosen(rows);
  for (std::size_t& row : chosen) row = static_cast<std::size_t>(random.below(rows));
  return chosen;
}

double quantile(const std::vector<double>& sorted, double at) {
  const double place = at * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Interval interval_of(std::vector<double> values, double otherwise, double confidence) {
  if (values.empty()) return {otherwise, otherwise};
  std::ranges::sort(values);
  return {quantile(values, (1 - confidence) / 2), quantile(values, (1 + confidence) / 2)};
}

/// (1 + how many are as far from the centre as `observed`)/(1 + all): never 0, since the observed outcome is one of
/// those possible. What differs by rounding alone is as far.
double p_value(const std::vector<double>& values, double centre, double observed) {
  const double bound = std::abs(observed) * (1 - 1e-9);
  const auto count =
      static_cast<double>(std::ranges::count_if(values, [&](double v) { return std::abs(v - centre) >= bound; }));
  return (count + 1) / (static_cast<double>(values.size()) + 1);
}

}  // namespace

Interval bootstrap_interval(const RowMetric& metric, std::size_t rows, const Resampling& options) {
  if (rows == 0) return {};
  auto values = sampled(options, "bootstrap", [&](Random random) { return metric(drawn(rows, random)); });
  return interval_of(std::move(values), metric(all_rows(rows)), options.confidence);
}

PairedDifference compare_paired(const RowMetric& metric, std::size_t rows, const Resampling& options) {
  PairedDifference result;
  if (rows == 0) return result;
  result.first = metric(all_rows(rows));
  result.second = metric(all_rows(rows, rows));
  result.difference = result.second - result.first;
  const std::vector<double> differences = sampled(options, "bootstrap", [&](Random random) {
    std::vector<std::size_t> chosen = drawn(rows, random);
    const double first = metric(chosen);
    for (std::size_t& row : chosen) row += rows;
    return metric(chosen) - first;
  });
  result.interval = interval_of(differences, result.difference, options.confidence);
  const double centre = differences.empty() ? 0
                                            : std::accumulate(differences.begin(), differences.end(), 0.0) /
                                                  static_cast<double>(differences.size());
  result.bootstrap_p = p_value(differences, centre, result.difference);
  const std::vector<double> exchanged = sampled(options, "randomization", [&](Random random) {
    std::vector<std::size_t> first(rows), second(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      const bool exchange = random.below(2) == 1;
      first[row] = exchange ? row + rows : row;
      second[row] = exchange ? row : row + rows;
    }
    return metric(first) - metric(second);
  });
  result.randomization_p = p_value(exchanged, 0, result.difference);
  return result;
}

}  // namespace hone
