#include "report/page/thinning.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace hone::page {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<MetricPoint> line(std::size_t count) {
  std::vector<MetricPoint> points;
  for (std::size_t i = 0; i < count; ++i)
    points.push_back({static_cast<double>(i + 1), std::sin(static_cast<double>(i))});
  return points;
}

}  // namespace

TEST_CASE("report: a short curve is kept as it is") {
  CHECK(thinned(line(400), 400) == line(400));
  CHECK(thinned({}, 400).empty());
}

TEST_CASE("report: a thinned curve keeps its ends, its peaks and its order") {
  std::vector<MetricPoint> points = line(100'000);
  points[77'777].value = 50;
  points[12'345].value = -70;
  const std::vector<MetricPoint> kept = thinned(points, 400);
  CHECK(kept.size() <= 400);
  CHECK(kept.size() > 300);
  CHECK(kept.front() == points.front());
  CHECK(kept.back() == points.back());
  CHECK(std::ranges::count(kept, points[77'777]) == 1);
  CHECK(std::ranges::count(kept, points[12'345]) == 1);
  CHECK(std::ranges::is_sorted(kept, {}, &MetricPoint::step));
}

TEST_CASE("report: values that are not finite do not hide others, and a long gap stays a gap") {
  std::vector<MetricPoint> points = line(10'000);
  for (std::size_t i = 4000; i < 6000; ++i) points[i].value = nan;
  points[100].value = std::numeric_limits<double>::infinity();
  const std::vector<MetricPoint> kept = thinned(points, 100);
  std::size_t gaps = 0, inside = 0;
  for (const MetricPoint& point : kept) {
    gaps += std::isnan(point.value) ? 1 : 0;
    inside += std::isfinite(point.value) && point.step > 4000 && point.step <= 6000 ? 1 : 0;
    CHECK_FALSE(std::isinf(point.value));
  }
  CHECK(gaps >= 8);
  CHECK(inside == 0);
}

TEST_CASE("report: a running mean follows a line and skips what is not finite") {
  std::vector<MetricPoint> points;
  for (int i = 0; i <= 1000; ++i) points.push_back({i * 1.0, i % 7 == 3 && i < 900 ? nan : 2.0 * i});
  const std::vector<MetricPoint> means = moving_mean(points, 21, 101);
  REQUIRE(means.size() == 101);
  CHECK(means.front().step == 0);
  CHECK(means.back() == MetricPoint{1000, 1990});  // of 990 … 1000
  for (const MetricPoint& mean : means) CHECK(std::abs(mean.value - 2 * mean.step) < 12);
  CHECK(moving_mean({}, 5, 10).empty());
  const std::vector<MetricPoint> lost(10, MetricPoint{1, nan});
  CHECK(std::isnan(moving_mean(lost, 5, 4).at(0).value));
}

}  // namespace hone::page
