#pragma once

#include <span>
#include <vector>

namespace hone {

/// 1 … n in ascending order of the values; equal values share the mean of their ranks. O(n log n).
std::vector<double> mean_ranks(std::span<const double> values);

}  // namespace hone
