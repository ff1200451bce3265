#include "report/page/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hone::page {

namespace {

constexpr double largest = 1e300;
constexpr double air = 0.06;  // of the range, on either side

/// 1, 2 or 5 × 10^k near `step`.
double nice_step(double step) {
  const double power = std::pow(10.0, std::floor(std::log10(step)));
  const double lead = step / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

std::string without_zeros(std::string digits) {
  if (digits.find('.') == digits.npos) return digits;
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  return digits;
}

/// Of ticks that are multiples of `step`: 0.25, 1.5k, 20k, 3e-05. `most` is the largest magnitude.
std::string tick_label(double value, double step, double most) {
  if (std::abs(value) < step / 2) return "0";
  if (most >= 1e15 || most < 1e-3) return fmt::format("{:.3g}", value);
  const auto scaled = [&](double unit, const char* name) {
    const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step / unit) - 1e-9)));
    return without_zeros(fmt::format("{:.{}f}", value / unit, std::min(decimals, 12))) + name;
  };
  if (most >= 1e12) return scaled(1e12, "T");
  if (most >= 1e9) return scaled(1e9, "G");
  if (most >= 1e6) return scaled(1e6, "M");
  if (most >= 1e4) return scaled(1e3, "k");
  return scaled(1, "");
}

}  // namespace

Axis make_axis(double low, double high, int ticks, bool integers) {
  low = std::clamp(low, -largest, largest);
  high = std::clamp(high, -largest, largest);
  if (low > high) std::swap(low, high);
  const double magnitude = std::max(std::abs(low), std::abs(high));
  if (high - low <= magnitude * 1e-9) {  // what doubles and labels cannot tell apart
    const double half = integers ? 1.0 : magnitude == 0 ? 0.5 : magnitude * 0.1;
    low -= half;
    high += half;
  }
  Axis axis{.low = low, .high = high, .ticks = {}, .labels = {}};
  double step = nice_step(high / ticks - low / ticks);
  if (integers) step = std::max(step, 1.0);
  const double first = std::ceil(low / step - 1e-9);
  const double last = std::floor(high / step + 1e-9);
  for (double i = first; i <= last && axis.ticks.size() < 32; ++i)
    axis.ticks.push_back(std::clamp(i * step, low, high));
  const double most = std::max(std::abs(low), std::abs(high));
  for (const double tick : axis.ticks) axis.labels.push_back(tick_label(tick, step, most));
  return axis;
}

Axis make_value_axis(double low, double high, int ticks) {
  low = std::clamp(low, -largest, largest);
  high = std::clamp(high, -largest, largest);
  const double space = (high - low) * air;
  const double bottom = low >= 0 && low - space < 0 ? std::min(low, 0.0) : low - space;
  const double top = high <= 0 && high + space > 0 ? std::max(high, 0.0) : high + space;
  return make_axis(bottom, top, ticks, false);
}

}  // namespace hone::page
