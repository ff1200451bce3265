#include "report/record/run_record.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/utf8.h"
#include "io/file.h"
#include "report/record/read_rows.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

/// A file's text; "" and a note when it cannot be had.
std::string text_or_note(const fs::path& path, std::vector<std::string>& notes) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) {
    notes.push_back(path.filename().string() + ": there is no such file");
    return "";
  }
  try {
    return valid_utf8(read_file(path));
  } catch (const Error&) {
    notes.push_back(path.filename().string() + ": cannot be read");
    return "";
  }
}

/// Names of the stages in a config.yaml that a run wrote: "    name: ppo" below "stages:".
void add_configured_stages(std::string_view config, std::vector<StageRecord>& stages) {
  constexpr std::string_view key = "    name: ";
  bool inside = false;
  while (!config.empty()) {
    const std::size_t end = std::min(config.find('\n'), config.size());
    std::string_view line = config.substr(0, end);
    config.remove_prefix(std::min(end + 1, config.size()));
    if (!line.empty() && line[0] != ' ') inside = line.starts_with("stages:");
    if (!inside || !line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    if (line.size() > 1 && (line[0] == '"' || line[0] == '\'')) line = line.substr(1, line.size() - 2);
    try {
      stage_of(stages, std::string(line));
    } catch (const Error&) {
      return;  // more stages than are shown
    }
  }
}

Json environment_of(const fs::path& path, std::vector<std::string>& notes) {
  const std::string text = text_or_note(path, notes);
  if (text.empty()) return {};
  try {
    return Json::parse(text, path.filename().string());
  } catch (const Error& error) {
    notes.emplace_back(error.what());
    return {};
  }
}

std::string written_at(const fs::path& path) {
  struct stat status {};
  std::tm utc{};
  if (::stat(path.c_str(), &status) != 0 || ::gmtime_r(&status.st_mtime, &utc) == nullptr) return "";
  char text[64];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc)};
}

/// Whether a process holds the lock of this file, as /proc/locks tells: trying the lock could keep a run from starting.
bool is_locked(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    // "1: FLOCK  ADVISORY  WRITE 4711 08:01:131073 0 EOF"
    std::istringstream words(line);
    std::string number, kind, advice, access, process, place;
    words >> number >> kind >> advice >> access >> process >> place;
    if (kind == "FLOCK" && place.ends_with(":" + std::to_string(status.st_ino))) return true;
  }
  return false;
}

/// Adds the figure when it was measured.
void add_held_out(const StageRecord& stage, std::string_view metric, std::string title, StageSummary& summary) {
  const MetricSeries* series = stage.find(metric);
  if (series == nullptr || series->points.empty()) return;
  const MetricPoint& first = series->points.front();
  const MetricPoint& last = series->points.back();
  HeldOut row{.metric = std::move(title), .before = std::nullopt, .after = std::nullopt};
  if (first.step == 0 && (series->points.size() > 1 || stage.steps > 0)) row.before = first.value;
  if (series->points.size() > 1 || !row.before) row.after = last.value;
  summary.held_out.push_back(std::move(row));
}

/// The weighted sum of the rewards, and each part when there are several.
void add_generation(const StageRecord& stage, const std::string& prefix, const std::string& how,
                    StageSummary& summary) {
  add_held_out(stage, prefix + "reward", "reward" + how, summary);
  if (const MetricSeries* distinct = stage.find(prefix + "distinct_2"); distinct && distinct->points.back().value > 0) {
    add_held_out(stage, prefix + "distinct_2", "distinct_2" + how, summary);
  }
  std::vector<std::string> parts;
  for (const MetricSeries& series : stage.series) {
    if (series.name.starts_with(prefix) && series.name.ends_with("/mean")) parts.push_back(series.name);
  }
  if (parts.size() < 2) return;
  for (const std::string& name : parts) {
    add_held_out(stage, name, name.substr(prefix.size(), name.size() - prefix.size() - 5) + how, summary);
  }
}

double median(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

const MetricSeries* StageRecord::find(std::string_view metric) const {
  const auto found = std::ranges::find(series, metric, &MetricSeries::name);
  return found == series.end() ? nullptr : &*found;
}

bool RunRecord::finished() const {
  return !stages.empty() && std::ranges::all_of(stages, [](const StageRecord& stage) { return stage.finished; });
}

RunRecord read_run(const fs::path& directory) {
  RunRecord run;
  const fs::path whole = fs::absolute(directory / "").parent_path().lexically_normal();
  run.name = valid_utf8(whole.filename().string());
  run.config = text_or_note(directory / "config.yaml", run.notes);
  add_configured_stages(run.config, run.stages);
  read_metric_rows(directory / "metrics.jsonl", run);
  read_sample_rows(directory / "samples.jsonl", run);
  run.environment = environment_of(directory / "environment.json", run.notes);
  run.last_row = written_at(directory / "metrics.jsonl");
  run.running = is_locked(directory / "lock");
  for (StageRecord& stage : run.stages) {
    std::error_code ignored;
    stage.finished = fs::is_directory(directory / "checkpoints" / stage.name / "final", ignored);
  }
  return run;
}

std::vector<StageSummary> summaries_of(const RunRecord& run) {
  std::vector<StageSummary> summaries;
  for (const StageRecord& stage : run.stages) {
    StageSummary summary{.stage = stage.name, .held_out = {}, .seconds = stage.seconds, .tokens = 0};
    add_held_out(stage, "eval/loss", "loss", summary);
    add_held_out(stage, "eval/accuracy", "accuracy", summary);
    add_generation(stage, "eval/", " (greedy)", summary);
    add_generation(stage, "eval_sampled/", " (sampled)", summary);
    if (const MetricSeries* rate = stage.find("tokens_per_second")) {
      std::vector<double> rates;
      for (const MetricPoint& point : rate->points) rates.push_back(point.value);
      summary.tokens = std::llround(std::clamp(median(std::move(rates)) * stage.seconds, 0.0, 1e18));
    }
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

}  // namespace hone
