#include "report/page/axis.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace hone::page {

using Labels = std::vector<std::string>;

TEST_CASE("report: ticks are multiples of 1, 2 or 5 and labelled without noise") {
  CHECK(make_axis(0, 1, 5, false).labels == Labels{"0", "0.2", "0.4", "0.6", "0.8", "1"});
  CHECK(make_axis(-0.3, 0.31, 5, false).labels == Labels{"-0.3", "-0.2", "-0.1", "0", "0.1", "0.2", "0.3"});
  CHECK(make_axis(0, 305, 6, true).labels == Labels{"0", "50", "100", "150", "200", "250", "300"});
  CHECK(make_axis(0, 100000, 5, true).labels == Labels{"0", "20k", "40k", "60k", "80k", "100k"});
  CHECK(make_axis(0, 2.5e6, 5, true).labels == Labels{"0", "0.5M", "1M", "1.5M", "2M", "2.5M"});
  CHECK(make_axis(0, 1e-4, 5, false).labels == Labels{"0", "2e-05", "4e-05", "6e-05", "8e-05", "0.0001"});
  CHECK(make_axis(1000.25, 1000.75, 5, false).labels == Labels{"1000.3", "1000.4", "1000.5", "1000.6", "1000.7"});
}

TEST_CASE("report: an axis of steps has no ticks between two steps") {
  CHECK(make_axis(0, 2, 6, true).labels == Labels{"0", "1", "2"});
  CHECK(make_axis(7, 7, 6, true).labels == Labels{"6", "7", "8"});
}

TEST_CASE("report: equal, reversed and huge ends make an axis with sane ticks") {
  const double most = std::numeric_limits<double>::max();
  const std::pair<double, double> ends[] = {{0, 0},      {5, 5},         {-3, -3},
                                            {2, 1},      {1, 1 + 1e-15}, {-most, most},
                                            {0, 5e-324}, {1e300, 1e300}, {1e18, 1e18 + 1024}};
  for (const auto& [low, high] : ends) {
    CAPTURE(low);
    CAPTURE(high);
    for (const Axis& axis : {make_axis(low, high, 5, false), make_value_axis(low, high, 5)}) {
      CHECK(axis.low < axis.high);
      CHECK(axis.ticks.size() == axis.labels.size());
      CHECK(axis.ticks.size() <= 32);
      CHECK(std::ranges::is_sorted(axis.ticks));
      for (const double tick : axis.ticks) {
        CHECK(axis.place(tick) >= 0);
        CHECK(axis.place(tick) <= 1);
      }
    }
  }
}

TEST_CASE("report: a value axis leaves air around the values, but ends at zero where they do") {
  const Axis rewards = make_value_axis(0, 1, 5);
  CHECK(rewards.low == 0);
  CHECK(rewards.high > 1);
  const Axis penalties = make_value_axis(-1, 0, 5);
  CHECK(penalties.low < -1);
  CHECK(penalties.high == 0);
  const Axis small = make_value_axis(0.01, 1, 5);
  CHECK(small.low == 0.0);
}

}  // namespace hone::page
