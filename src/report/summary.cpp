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

}  // namespace

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
