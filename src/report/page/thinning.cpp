#include "report/page/thinning.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hone::page {

namespace {

/// Appends the extremes of a stretch.
void append_extremes(std::span<const MetricPoint> stretch, std::vector<MetricPoint>& out) {
  const MetricPoint* least = nullptr;
  const MetricPoint* greatest = nullptr;
  for (const MetricPoint& point : stretch) {
    if (!std::isfinite(point.value)) continue;
    if (least == nullptr || point.value < least->value) least = &point;
    if (greatest == nullptr || point.value > greatest->value) greatest = &point;
  }
  if (least == nullptr) {
    out.push_back({stretch.front().step, std::numeric_limits<double>::quiet_NaN()});
    return;
  }
  out.push_back(*std::min(least, greatest));
  if (least != greatest) out.push_back(*std::max(least, greatest));
}

}  // namespace

std::vector<MetricPoint> thinned(std::span<const MetricPoint> points, std::size_t most) {
  if (points.size() <= most) return {points.begin(), points.end()};
  std::vector<MetricPoint> kept{points.front()};
  const std::span<const MetricPoint> middle = points.subspan(1, points.size() - 2);
  const std::size_t stretches = (most - 2) / 2;
  for (std::size_t i = 0; i < stretches; ++i) {
    const std::size_t begin = middle.size() * i / stretches;
    const std::size_t end = middle.size() * (i + 1) / stretches;
    append_extremes(middle.subspan(begin, end - begin), kept);
  }
  kept.push_back(points.back());
  return kept;
}

std::vector<MetricPoint> moving_mean(std::span<const MetricPoint> points, std::size_t window, std::size_t count) {
  std::vector<double> sums{0.0};
  std::vector<std::size_t> counts{0};
  for (const MetricPoint& point : points) {
    const bool counted = std::isfinite(point.value);
    sums.push_back(sums.back() + (counted ? point.value : 0.0));
    counts.push_back(counts.back() + (counted ? 1 : 0));
  }
  std::vector<MetricPoint> means;
  for (std::size_t i = 0; i < count && !points.empty(); ++i) {
    const std::size_t at = count == 1 ? 0 : (points.size() - 1) * i / (count - 1);
    const std::size_t begin = at - std::min(at, window / 2);
    const std::size_t end = std::min(at + window / 2 + 1, points.size());
    const std::size_t values = counts[end] - counts[begin];
    const double mean = values == 0 ? std::numeric_limits<double>::quiet_NaN()
                                    : (sums[end] - sums[begin]) / static_cast<double>(values);
    if (means.empty() || means.back().step < points[at].step) means.push_back({points[at].step, mean});
  }
  return means;
}

}  // namespace hone::page
