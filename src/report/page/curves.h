#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/page/chart.h"
#include "report/record/run_record.h"

namespace hone::page {

/// The charts of a stage. A metric shares one with its held-out figures: reward, eval/reward, eval_sampled/reward.
struct StageCharts {
  std::vector<Chart> main;  ///< what one looks at first, by importance
  std::vector<Chart> more;  ///< every other metric, in the order of the file
};

/// The charts point into the stage.
StageCharts charts_of(const StageRecord& stage);

/// Figures of all of them; "" when there are none. `most_points` as in chart_html.
std::string curves_html(const StageRecord& stage, std::size_t most_points);

}  // namespace hone::page
