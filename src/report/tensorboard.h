#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "io/event_file.h"
#include "report/metrics.h"

namespace hone {

/// Events for TensorBoard; each stage is a run of its own, in <directory>/<stage>. Every start of a stage makes a new
/// file, which voids what earlier ones hold of later steps: readers need nothing cut.
///
///   metrics        scalars under their own names. Values that are not finite are written: TensorBoard marks them.
///   distributions  histograms `distribution/<name>`, without what is not finite; nothing when nothing is
///   samples        texts `samples/<split>/1` … `/8`, the first of each step; samples.jsonl has all
class TensorBoard : public ReportSink {
 public:
  /// Nothing is made before a stage starts.
  explicit TensorBoard(std::filesystem::path directory) : directory_(std::move(directory)) {}
  void stage_started(const std::string& stage, std::int64_t first_step) override;
  void write(const MetricRow& row) override;
  void distribution(const Distribution& values) override;
  void sample(const SampleRow& row) override;
  /// Flushes; nothing is ever cut back.
  std::optional<FilePosition> position() override;

 private:
  std::filesystem::path directory_;
  std::optional<EventFile> file_;                   ///< of the stage that runs
  std::pair<std::int64_t, std::string> sample_of_;  ///< step and split of the sample before
  int samples_ = 0;                                 ///< of them
};

/// An episode as Markdown that shows hostile text as it is: whatever people and models wrote stands in <pre>, with &,
/// <, > and control characters escaped. Long texts are cut off.
std::string sample_markdown(const SampleRow& row);

}  // namespace hone
