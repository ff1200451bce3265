#include "report/run_report.h"

#include <fmt/format.h>

#include <utility>

#include "base/format.h"
#include "base/log.h"
#include "report/samples.h"

namespace hone {

namespace {

constexpr std::size_t bar_columns = 20;

std::string list_of(const MetricValues& values) {
  std::string text;
  for (const auto& [name, value] : values) text += fmt::format("  {} {}", name, format_metric(value));
  return text;
}

}  // namespace

RunReport::RunReport(Console& console, std::vector<std::unique_ptr<ReportSink>> sinks)
    : console_(console), sinks_(std::move(sinks)) {
  set_log_printer([this](std::string_view line) { console_.print(line); });
}

RunReport::~RunReport() {
  console_.finish();
  set_log_printer({});
}

double RunReport::stage_seconds() const { return console_.options().now() - stage_start_; }

void RunReport::write_row(std::int64_t step, const MetricValues& values) {
  const MetricRow row{.stage = progress_.stage, .step = step, .seconds = stage_seconds(), .values = values};
  for (const auto& sink : sinks_) sink->write(row);
}

void RunReport::show_progress(bool now) {
  if (!now && !console_.due()) return;
  progress_.seconds = stage_seconds() - resumed_seconds_;
  const ConsoleOptions& options = console_.options();
  console_.live(progress_line(progress_, options.terminal ? bar_columns : 0, options.width), now);
}

void RunReport::stage_started(const std::string& stage, std::int64_t total_steps, std::int64_t first_step, double seconds) {
  progress_ = {.stage = stage, .first_step = first_step, .step = first_step, .total = total_steps};
  stage_start_ = console_.options().now() - seconds;
  resumed_seconds_ = seconds;
  for (const auto& sink : sinks_) sink->stage_started(stage, first_step);
  show_progress(true);
}

void RunReport::step(std::int64_t step, MetricValues values) {
  write_row(step, values);
  progress_.step = step;
  progress_.metrics = std::move(values);
  show_progress(false);
}

void RunReport::evaluated(std::int64_t step, const MetricValues& values) {
  write_row(step, values);
  console_.print(fmt::format("{}  step {}{}", progress_.stage, step, list_of(values)));
}

void RunReport::samples(std::string_view title, std::span<const Episode> episodes) {
  console_.print("\n" + samples_text(title, episodes, console_.options().colour));
}

void RunReport::distribution(std::int64_t step, const std::string& name, std::vector<float> values) {
  const Distribution distribution{.stage = progress_.stage, .step = step, .name = name, .values = std::move(values)};
  for (const auto& sink : sinks_) sink->distribution(distribution);
}

void RunReport::sample(SampleRow row) {
  row.stage = progress_.stage;
  for (const auto& sink : sinks_) sink->sample(row);
}

std::vector<FilePosition> RunReport::positions() {
  std::vector<FilePosition> positions;
  for (const auto& sink : sinks_) {
    if (const auto position = sink->position()) positions.push_back(*position);
  }
  return positions;
}

void RunReport::stage_finished(StageSummary summary) {
  if (summary.stage.empty()) summary.stage = progress_.stage;
  if (summary.seconds == 0) summary.seconds = stage_seconds();
  progress_.finished = true;
  show_progress(true);
  console_.finish();
  summaries_.push_back(std::move(summary));
}

void RunReport::print_summary() {
  console_.finish();
  console_.print("\n" + summary_table(summaries_));
}

}  // namespace hone
