#include "report/summary.h"

#include <cmath>

#include "base/format.h"
#include "report/progress.h"

namespace hone {

namespace {

std::string cell(const std::optional<double>& value) { return value ? format_metric(*value) : "-"; }

std::string tokens_per_second(const StageSummary& stage) {
  if (stage.tokens <= 0 || stage.seconds <= 0) return "-";
  return format_count(std::llround(static_cast<double>(stage.tokens) / stage.seconds));
}

Json optional_number(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

std::optional<double> number_if_any(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.as_number());
}

}  // namespace

Json to_json(const StageSummary& summary) {
  Json rows = Json::array();
  for (const HeldOut& row : summary.held_out) {
    rows.push_back(Json::Object{{"metric", row.metric},
                                {"before", optional_number(row.before)},
                                {"after", optional_number(row.after)}});
  }
  return Json::Object{{"stage", summary.stage},
                      {"held_out", std::move(rows)},
                      {"seconds", summary.seconds},
                      {"tokens", summary.tokens}};
}

StageSummary summary_from_json(const Json& json) {
  StageSummary summary{.stage = json.at("stage").as_string(),
                       .seconds = json.at("seconds").as_number(),
                       .tokens = json.at("tokens").as_integer()};
  for (const Json& row : json.at("held_out").as_array()) {
    summary.held_out.push_back({.metric = row.at("metric").as_string(),
                                .before = number_if_any(row.at("before")),
                                .after = number_if_any(row.at("after"))});
  }
  return summary;
}

std::string summary_table(std::span<const StageSummary> stages) {
  Table table({{"stage"},
               {"held-out"},
               {"before", Align::right},
               {"after", Align::right},
               {"time", Align::right},
               {"tokens/s", Align::right}});
  for (const StageSummary& stage : stages) {
    const HeldOut first = stage.held_out.empty() ? HeldOut{.metric = "-"} : stage.held_out.front();
    table.add({stage.stage, first.metric, cell(first.before), cell(first.after), format_duration(stage.seconds),
               tokens_per_second(stage)});
    for (std::size_t i = 1; i < stage.held_out.size(); ++i) {
      const HeldOut& more = stage.held_out[i];
      table.add({"", more.metric, cell(more.before), cell(more.after), "", ""});
    }
  }
  return table.text();
}

}  // namespace hone
