#include <algorithm>
#include <limits>

#include "base/error.h"
#include "report/record/read_rows.h"

namespace hone {

namespace {

constexpr std::size_t most_series = 400;  // metrics of a stage; a file that has more is not one of ours

/// Rows of a stage repeat their names in the same order, so the next series is nearly always the one looked for.
MetricSeries& series_of(StageRecord& stage, const std::string& name, std::size_t& next) {
  auto& series = stage.series;
  if (next < series.size() && series[next].name == name) return series[next++];
  const auto found = std::ranges::find(series, name, &MetricSeries::name);
  next = static_cast<std::size_t>(found - series.begin()) + 1;
  if (found != series.end()) return *found;
  if (series.size() == most_series) fail(ErrorKind::data, "stage {} has more than {} metrics", stage.name, most_series);
  series.push_back({.name = name, .points = {}});
  return series.back();
}

void add_row(const Json& row, std::vector<StageRecord>& stages, std::vector<double>& clocks) {
  const double step = row.at("step").as_number();
  StageRecord& stage = stage_of(stages, row.at("stage").as_string());
  clocks.resize(stages.size(), 0.0);
  std::size_t next = 0;
  for (const auto& [name, value] : row.as_object()) {
    if (name == "stage" || name == "step") continue;
    if (!value.is_number() && !value.is_null()) continue;
    const double number = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.as_number();
    if (name == "seconds") {
      // A process that takes a stage up again starts its clock anew.
      double& clock = clocks[static_cast<std::size_t>(&stage - stages.data())];
      if (number >= 0) stage.seconds += number >= clock ? number - clock : number;
      if (number >= 0) clock = number;
      continue;
    }
    std::vector<MetricPoint>& points = series_of(stage, name, next).points;
    while (!points.empty() && points.back().step >= step) points.pop_back();
    points.push_back({step, number});
  }
  stage.steps = static_cast<std::int64_t>(std::clamp(step, 0.0, 1e18));
}

}  // namespace

void read_metric_rows(const std::filesystem::path& path, RunRecord& run) {
  std::vector<double> clocks;  // of each stage, at its last row
  for_each_row(path, run.notes, [&](const Json& row) { add_row(row, run.stages, clocks); });
}

}  // namespace hone
