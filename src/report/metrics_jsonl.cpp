#include "report/metrics_jsonl.h"

#include "base/json.h"

namespace hone {

std::string metrics_line(const MetricRow& row) {
  Json line = Json::object();
  line.set("stage", row.stage);
  line.set("step", row.step);
  line.set("seconds", row.seconds);
  for (const auto& [name, value] : row.values) line.set(name, value);
  return line.dump();
}

void MetricsJsonl::write(const MetricRow& row) { file_.append(metrics_line(row) + "\n"); }

}  // namespace hone
