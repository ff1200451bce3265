#include "app/run_comparison.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/format.h"

namespace hone {

namespace {

std::optional<double> last_value(const StageRecord* stage, const std::string& name) {
  const MetricSeries* series = stage == nullptr ? nullptr : stage->find(name);
  if (series == nullptr || series->points.empty()) return std::nullopt;
  return series->points.back().value;
}

const StageRecord* stage_named(const RunRecord& run, const std::string& name) {
  const auto found = std::ranges::find(run.stages, name, &StageRecord::name);
  return found == run.stages.end() ? nullptr : &*found;
}

void add_metrics(const StageRecord* first, const StageRecord* second, std::vector<ComparedMetric>& metrics) {
  std::vector<std::string> names;
  for (const StageRecord* stage : {first, second}) {
    if (stage == nullptr) continue;
    for (const MetricSeries& series : stage->series) {
      if (std::ranges::find(names, series.name) == names.end()) names.push_back(series.name);
    }
  }
  const std::string& stage = (first != nullptr ? first : second)->name;
  for (const std::string& name : names) metrics.push_back({stage, name, last_value(first, name), last_value(second, name)});
}

/// Rewards of the last evaluation by prompt.
std::map<std::string, double> rewards_of(const StageRecord& stage) {
  std::map<std::string, double> rewards;
  for (const SampleRow& row : stage.last_held_out.empty() ? stage.first_held_out : stage.last_held_out) {
    if (row.status == "ok") rewards.emplace(row.prompt, row.reward);
  }
  return rewards;
}

std::optional<ComparedScores> compare_scores(const StageRecord& first, const StageRecord& second) {
  const std::map<std::string, double> ours = rewards_of(first), theirs = rewards_of(second);
  std::vector<double> values, others;
  for (const auto& [prompt, reward] : ours) {
    const auto found = theirs.find(prompt);
    if (found == theirs.end()) continue;
    values.push_back(reward);
    others.push_back(found->second);
  }
  const std::size_t rows = values.size();
  if (rows < 2) return std::nullopt;
  values.insert(values.end(), others.begin(), others.end());
  const RowMetric mean = [&values](std::span<const std::size_t> picked) {
    double sum = 0;
    for (const std::size_t row : picked) sum += values[row];
    return sum / static_cast<double>(picked.size());
  };
  return ComparedScores{first.name, rows, compare_paired(mean, rows, {})};
}

std::string shown(std::optional<double> value) { return value ? fmt::format("{:.4g}", *value) : "-"; }

Json number(std::optional<double> value) { return value ? Json(*value) : Json(); }

}  // namespace

RunComparison compare_runs(const RunRecord& first, const RunRecord& second) {
  RunComparison comparison;
  for (const StageRecord& stage : first.stages) {
    const StageRecord* other = stage_named(second, stage.name);
    add_metrics(&stage, other, comparison.metrics);
    if (other == nullptr) continue;
    if (const auto scores = compare_scores(stage, *other)) comparison.scores.push_back(*scores);
  }
  for (const StageRecord& stage : second.stages) {
    if (stage_named(first, stage.name) == nullptr) add_metrics(nullptr, &stage, comparison.metrics);
  }
  return comparison;
}

std::string comparison_text(const RunComparison& comparison, const std::string& first, const std::string& second) {
  Table metrics({{"stage", Align::left}, {"metric", Align::left}, {first, Align::right}, {second, Align::right},
                 {"difference", Align::right}});
  for (const ComparedMetric& row : comparison.metrics) {
    const bool both = row.first && row.second;
    metrics.add({row.stage, row.name, shown(row.first), shown(row.second),
                 both ? fmt::format("{:+.4g}", *row.second - *row.first) : "-"});
  }
  std::string text = metrics.text();
  if (comparison.scores.empty()) return text;
  Table scores({{"stage", Align::left}, {"prompts", Align::right}, {first, Align::right}, {second, Align::right},
                {"difference", Align::right}, {"95 % interval", Align::left}, {"p", Align::right}});
  for (const ComparedScores& row : comparison.scores) {
    scores.add({row.stage, format_count(static_cast<std::int64_t>(row.prompts)), shown(row.scores.first), shown(row.scores.second),
                fmt::format("{:+.4g}", row.scores.difference),
                fmt::format("{:+.4g} to {:+.4g}", row.scores.interval.low, row.scores.interval.high),
                fmt::format("{:.3g}", row.scores.bootstrap_p)});
  }
  return text + "\nheld-out rewards of the same prompts (samples.jsonl), paired bootstrap\n" + scores.text();
}

Json to_json(const RunComparison& comparison) {
  Json metrics = Json::array();
  for (const ComparedMetric& row : comparison.metrics) {
    metrics.push_back(Json::Object{{"stage", row.stage}, {"metric", row.name}, {"first", number(row.first)}, {"second", number(row.second)}});
  }
  Json scores = Json::array();
  for (const ComparedScores& row : comparison.scores) {
    scores.push_back(Json::Object{{"stage", row.stage},
                                  {"prompts", static_cast<std::int64_t>(row.prompts)},
                                  {"first", row.scores.first},
                                  {"second", row.scores.second},
                                  {"difference", row.scores.difference},
                                  {"low", row.scores.interval.low},
                                  {"high", row.scores.interval.high},
                                  {"bootstrap_p", row.scores.bootstrap_p},
                                  {"randomization_p", row.scores.randomization_p}});
  }
  return Json::Object{{"metrics", std::move(metrics)}, {"scores", std::move(scores)}};
}

}  // namespace hone
