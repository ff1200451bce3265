#pragma once

#include <filesystem>

#include "io/file.h"
#include "report/metrics.h"

namespace hone {

/// metrics.jsonl: one object a row, appended whole.
///
///     {"stage":"ppo","step":12,"seconds":31.5,"reward":0.91,"kl":0.002}
///
/// Values that are not finite are written as null.
class MetricsJsonl : public MetricSink {
 public:
  explicit MetricsJsonl(std::filesystem::path path) : file_(std::move(path)) {}
  void write(const MetricRow& row) override;

 private:
  AppendFile file_;
};

/// The line of a row, without its end.
std::string metrics_line(const MetricRow& row);

}  // namespace hone
