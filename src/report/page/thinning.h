#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "report/record/run_record.h"

namespace hone::page {

/// At most `most` points (at least 4) that draw the same curve: the first and the last, and of each stretch between
/// them the smallest and the largest value in the order in which they come. A stretch without any finite value gives
/// one NaN, so that a gap stays a gap.
std::vector<MetricPoint> thinned(std::span<const MetricPoint> points, std::size_t most);

/// The mean of each point's neighbourhood of `window` points, at `count` evenly spaced points. NaN does not count; a
/// neighbourhood of nothing else is NaN.
std::vector<MetricPoint> moving_mean(std::span<const MetricPoint> points, std::size_t window, std::size_t count);

}  // namespace hone::page
