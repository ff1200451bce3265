#include "report/page/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "base/format.h"

namespace hone::page {

namespace {

struct Known {
  std::string_view chart;
  std::string_view title;
};

/// The main charts by importance. "rewards/" stands for every part of the reward, "held-out" for every figure that only
/// evaluations have.
constexpr std::array known = std::to_array<Known>({
    {"loss", "Loss"},
    {"reward", "Reward"},
    {"rewards/", "Reward part"},
    {"accuracy", "Accuracy"},
    {"held-out", "Held-out"},
    {"kl", "KL to the reference"},
    {"approx_kl", "KL of the update"},
    {"entropy", "Entropy"},
    {"clip_ratio", "Clipped share of tokens"},
    {"completions/mean_length", "Completion length, tokens"},
    {"completions/clipped_ratio", "Share of completions cut off"},
    {"tokens_per_second", "Throughput, tokens/s"},
    {"grad_norm", "Gradient norm"},
    {"learning_rate", "Learning rate"},
    {"value_loss", "Value loss"},
    {"explained_variance", "Explained variance of the critic"},
});

struct Place {
  std::string chart;  ///< series of the same chart are drawn together
  int source = 0;     ///< 0: train steps, 1: greedy evaluations, 2: sampled ones
};

Place place_of(std::string_view name) {
  for (const std::string_view joined : {"clip_ratio", "ratio", "seconds"}) {
    if (name.starts_with(joined) && name.substr(joined.size()).starts_with("/")) return {std::string(joined), 0};
  }
  int source = 0;
  for (const std::string_view prefix : {"eval/", "eval_sampled/"}) {
    ++source;
    if (!name.starts_with(prefix)) continue;
    const std::string_view rest = name.substr(prefix.size());
    return {rest.ends_with("/mean") ? fmt::format("rewards/{}", rest) : std::string(rest), source};
  }
  return {std::string(name), 0};
}

/// Index into `known`, or its size.
std::size_t rank_of(const std::string& chart, bool only_held_out) {
  const auto found = std::ranges::find_if(known, [&](const Known& entry) {
    return entry.chart == chart || (entry.chart == "rewards/" && chart.starts_with("rewards/"));
  });
  if (found == known.end() && only_held_out) return rank_of("held-out", false);
  return static_cast<std::size_t>(found - known.begin());
}

std::string title_of(const std::string& chart, std::size_t rank) {
  if (rank == known.size()) return chart;
  std::string title(known[rank].title);
  if (known[rank].chart == "rewards/") {
    std::string_view part = std::string_view(chart).substr(known[rank].chart.size());
    if (part.ends_with("/mean")) part.remove_suffix(5);
    title += fmt::format(": {}", part);
  }
  if (known[rank].chart == "held-out") title += ": " + chart;
  return title;
}

/// Nothing but zeros: such a figure says that something did not happen.
bool all_zero(const std::vector<const MetricSeries*>& lines) {
  return std::ranges::all_of(lines, [](const MetricSeries* line) {
    return std::ranges::all_of(line->points, [](const MetricPoint& point) { return point.value == 0; });
  });
}

std::string grid_html(const std::vector<Chart>& charts, std::size_t most_points) {
  std::string out = "<div class=\"charts\">\n";
  for (const Chart& chart : charts) out += chart_html(chart, most_points);
  return out + "</div>\n";
}

}  // namespace

StageCharts charts_of(const StageRecord& stage) {
  struct Group {
    std::string name;
    std::vector<const MetricSeries*> lines;
    bool only_held_out = true;
  };
  std::vector<Group> groups;
  std::map<std::string, std::size_t> index;
  for (const MetricSeries& series : stage.series) {
    const Place place = place_of(series.name);
    const auto [entry, added] = index.try_emplace(place.chart, groups.size());
    if (added) groups.push_back({.name = place.chart, .lines = {}});
    Group& group = groups[entry->second];
    group.lines.push_back(&series);
    group.only_held_out = group.only_held_out && place.source > 0;
  }
  std::vector<std::pair<std::size_t, Chart>> ranked;
  for (Group& group : groups) {
    std::size_t rank = rank_of(group.name, group.only_held_out);
    if (rank < known.size() && known[rank].chart == "held-out" && all_zero(group.lines)) rank = known.size();
    std::ranges::stable_sort(group.lines, {}, [](const MetricSeries* line) { return place_of(line->name).source; });
    ranked.emplace_back(rank, Chart{.title = title_of(group.name, rank), .lines = std::move(group.lines)});
  }
  std::ranges::stable_sort(ranked, {}, [](const auto& entry) { return entry.first; });
  StageCharts charts;
  for (auto& [rank, chart] : ranked) (rank < known.size() ? charts.main : charts.more).push_back(std::move(chart));
  return charts;
}

std::string curves_html(const StageRecord& stage, std::size_t most_points) {
  const StageCharts charts = charts_of(stage);
  std::string out;
  if (!charts.main.empty()) out += grid_html(charts.main, most_points);
  if (!charts.more.empty()) {
    out += fmt::format(
        "<details class=\"more\"><summary>More metrics <span class=\"dim\">{}</span></summary>\n{}</details>\n",
        format_count(static_cast<std::int64_t>(charts.more.size())), grid_html(charts.more, most_points));
  }
  return out;
}

}  // namespace hone::page
