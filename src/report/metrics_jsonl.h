#pragma once

#include <filesystem>

#include "io/telemetry_file.h"
#include "report/metrics.h"

namespace hone {

/// metrics.jsonl: one object a row, appended whole.
///
///     {"stage":"ppo","step":12,"seconds":31.5,"reward":0.91,"kl":0.002}
///
/// Values that are not finite are written as null.
class MetricsJsonl : public ReportSink {
 public:
  /// `keep` as in TelemetryFile.
  explicit MetricsJsonl(std::filesystem::path path, std::optional<std::int64_t> keep = std::nullopt)
      : file_(std::move(path), keep) {}
  void write(const MetricRow& row) override;
  std::optional<FilePosition> position() override { return FilePosition{file_.path().filename().string(), file_.sync()}; }

 private:
  TelemetryFile file_;
};

/// The line of a row, without its end.
std::string metrics_line(const MetricRow& row);

}  // namespace hone
