#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/record/run_record.h"

namespace hone::page {

struct Chart {
  std::string title;
  std::vector<const MetricSeries*> lines;
};

/// A figure with the chart as inline SVG: axes, grid, one line a series, its name and last value above. Series of
/// evaluations (eval/…) show their points. A long and noisy series is drawn thin, with its running mean over it; at
/// most `most_points` points of a series are drawn.
std::string chart_html(const Chart& chart, std::size_t most_points);

}  // namespace hone::page
