#pragma once

#include <string>
#include <vector>

namespace hone::page {

/// The values of one axis of a chart and the places where it is labelled.
struct Axis {
  double low = 0;
  double high = 1;
  std::vector<double> ticks;  ///< ascending, within [low, high]
  std::vector<std::string> labels;

  /// Where a value lies: 0 at low, 1 at high; not clamped.
  double place(double value) const { return (value - low) / (high - low); }
};

/// An axis that shows [low, high] with about `ticks` labels at 1, 2 or 5 times a power of ten. Equal ends are widened;
/// values beyond ±1e300 are taken as ±1e300. `integers`: no label between two of them.
Axis make_axis(double low, double high, int ticks, bool integers);

/// The same with a little air below and above, for values; it ends at 0 where the values begin or end there.
Axis make_value_axis(double low, double high, int ticks);

}  // namespace hone::page
