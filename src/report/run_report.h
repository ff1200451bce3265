#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flow/types.h"
#include "report/console.h"
#include "report/metrics.h"
#include "report/progress.h"
#include "report/summary.h"

namespace hone {

/// What a run tells: rows, distributions and samples to the sinks; progress, samples and the final table to the console.
///
/// Call order: (stage_started (step | evaluated | samples | distribution | sample)* stage_finished)* print_summary. From one thread.
class RunReport {
 public:
  /// While it lives, log messages are printed above the live line.
  RunReport(Console& console, std::vector<std::unique_ptr<ReportSink>> sinks);
  ~RunReport();
  RunReport(const RunReport&) = delete;
  RunReport& operator=(const RunReport&) = delete;

  /// total_steps 0: unknown. first_step: where a resumed stage goes on, after `seconds` of work.
  void stage_started(const std::string& stage, std::int64_t total_steps, std::int64_t first_step = 0, double seconds = 0);
  /// After step number `step` (the first is 1).
  void step(std::int64_t step, MetricValues values);
  /// A held-out evaluation after `step`: a row of its own, and a line that stays.
  void evaluated(std::int64_t step, const MetricValues& values);
  void samples(std::string_view title, std::span<const Episode> episodes);
  /// For the sinks alone; the stage's name is filled in.
  void distribution(std::int64_t step, const std::string& name, std::vector<float> values);
  void sample(SampleRow row);
  /// The stage's name and seconds are filled in when they are empty.
  void stage_finished(StageSummary summary);
  std::span<const StageSummary> summaries() const { return summaries_; }
  void print_summary();
  /// Stages that an earlier process finished: rows of the final table.
  void restore_summaries(std::vector<StageSummary> summaries) { summaries_ = std::move(summaries); }
  /// Of every sink that has one.
  std::vector<FilePosition> positions();

 private:
  double stage_seconds() const;
  void write_row(std::int64_t step, const MetricValues& values);
  void show_progress(bool now);

  Console& console_;
  std::vector<std::unique_ptr<ReportSink>> sinks_;
  Progress progress_;
  double stage_start_ = 0;      ///< clock at which the stage would have begun without interruption
  double resumed_seconds_ = 0;  ///< spent on it by earlier processes
  std::vector<StageSummary> summaries_;
};

}  // namespace hone
