#include "metrics/correlation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "metrics/ranks.h"

namespace hone {

namespace {

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double pairs(std::size_t n) { return static_cast<double>(n) * (static_cast<double>(n) - 1) / 2; }

/// Pairs of equal neighbours in an order that puts equal items together.
template <class Equal>
double tied_pairs(std::size_t n, Equal equal) {
  double tied = 0;
  for (std::size_t begin = 0, end = 0; begin < n; begin = end) {
    while (end < n && equal(begin, end)) ++end;
    tied += pairs(end - begin);
  }
  return tied;
}

/// Sorts, and counts the pairs that stood in descending order.
double sort_and_count_swaps(std::vector<double>& values) {
  std::vector<double> merged(values.size());
  double swaps = 0;
  for (std::size_t width = 1; width < values.size(); width *= 2) {
    for (std::size_t begin = 0; begin < values.size(); begin += 2 * width) {
      const std::size_t middle = std::min(begin + width, values.size());
      const std::size_t end = std::min(begin + 2 * width, values.size());
      std::size_t left = begin, right = middle;
      for (std::size_t out = begin; out < end; ++out) {
        if (right == end || (left < middle && values[left] <= values[right])) {
          merged[out] = values[left++];
        } else {
          merged[out] = values[right++];
          swaps += static_cast<double>(middle - left);
        }
      }
    }
    values.swap(merged);
  }
  return swaps;
}

}  // namespace

std::optional<double> pearson(std::span<const double> a, std::span<const double> b) {
  HONE_ASSERT(a.size() == b.size());
  if (a.size() < 2) return std::nullopt;
  const double mean_a = mean(a), mean_b = mean(b);
  double covariance = 0, variance_a = 0, variance_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    covariance += (a[i] - mean_a) * (b[i] - mean_b);
    variance_a += (a[i] - mean_a) * (a[i] - mean_a);
    variance_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  if (variance_a == 0 || variance_b == 0) return std::nullopt;
  return std::clamp(covariance / (std::sqrt(variance_a) * std::sqrt(variance_b)), -1.0, 1.0);
}

std::optional<double> spearman(std::span<const double> a, std::span<const double> b) {
  HONE_ASSERT(a.size() == b.size());
  return pearson(mean_ranks(a), mean_ranks(b));
}

std::optional<double> kendall(std::span<const double> a, std::span<const double> b) {
  HONE_ASSERT(a.size() == b.size());
  const std::size_t n = a.size();
  if (n < 2) return std::nullopt;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::size_t x, std::size_t y) { return a[x] < a[y] || (a[x] == a[y] && b[x] < b[y]); });
  const auto same = [&](std::span<const double> side) {
    return [&, side](std::size_t x, std::size_t y) { return side[order[x]] == side[order[y]]; };
  };
  const double tied_a = tied_pairs(n, same(a));
  const double tied_both =
      tied_pairs(n, [&](std::size_t x, std::size_t y) { return same(a)(x, y) && same(b)(x, y); });
  std::vector<double> sorted;
  for (const std::size_t i : order) sorted.push_back(b[i]);
  const double discordant = sort_and_count_swaps(sorted);
  const double tied_b = tied_pairs(n, [&](std::size_t x, std::size_t y) { return sorted[x] == sorted[y]; });
  const double all = pairs(n);
  if (tied_a == all || tied_b == all) return std::nullopt;
  const double excess = all - tied_a - tied_b + tied_both - 2 * discordant;  // concordant minus discordant pairs
  return excess / std::sqrt(all - tied_a) / std::sqrt(all - tied_b);
}

}  // namespace hone
