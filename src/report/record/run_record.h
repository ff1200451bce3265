#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "report/metrics.h"
#include "report/summary.h"

/// A run as its directory tells it: for whatever shows a run that goes on, was killed, or ended long ago.
namespace hone {

/// One value of a metric; NaN where the file has null.
struct MetricPoint {
  double step = 0;
  double value = 0;
  bool operator==(const MetricPoint&) const = default;
};

/// A metric of one stage, steps ascending.
struct MetricSeries {
  std::string name;
  std::vector<MetricPoint> points;
};

struct StageRecord {
  std::string name;
  std::vector<MetricSeries> series;       ///< in the order in which the file names them first
  std::int64_t steps = 0;                 ///< the last step that was written
  double seconds = 0;                     ///< until the last row; of every process that worked on the stage
  bool finished = false;                  ///< its final checkpoint is there
  std::vector<SampleRow> first_held_out;  ///< of the first evaluation that was recorded
  std::vector<SampleRow> last_held_out;   ///< of the last one; empty when there is only one
  std::vector<SampleRow> recent;          ///< train samples of the last steps that recorded some

  /// nullptr when the stage has no such metric.
  const MetricSeries* find(std::string_view name) const;
  bool has_samples() const { return !first_held_out.empty() || !recent.empty(); }
};

struct RunRecord {
  std::string name;                 ///< of the directory
  std::vector<StageRecord> stages;  ///< in the order of config.yaml, then those that only the files know
  std::string config;               ///< config.yaml as it is
  Json environment;                 ///< environment.json; null when there is none
  std::string last_row;             ///< when metrics.jsonl was written last, "2026-11-22 04:12:08 UTC"
  std::vector<std::string> notes;   ///< what is missing or could not be read, for people

  bool running = false;             ///< a process on this machine holds the directory

  bool finished() const;
};

/// Reads what is there; throws nothing for what is missing, cut off or odd: that becomes a note.
RunRecord read_run(const std::filesystem::path& directory);

/// Before, after and rates of each stage, from its first and last evaluation.
///
/// "Before" is an evaluation at step 0 of a stage that takes steps. Tokens are those of the median step, scaled to the
/// stage's time, so that tokens / seconds is the rate of that step.
std::vector<StageSummary> summaries_of(const RunRecord& run);

}  // namespace hone
