#pragma once

#include <filesystem>

#include "io/telemetry_file.h"
#include "report/metrics.h"

namespace hone {

/// samples.jsonl: one object an episode, appended whole. Metrics are not written.
///
///     {"stage":"ppo","step":40,"split":"train","prompt":"37+58=","completion":"95","finish":"stop","status":"ok",
///      "reward":1,"parts":{"exact_match":1},"length":3,"logprob":-0.4,"advantage":0.2,"tokens":["9","5","<eos>"],
///      "logprobs":[-0.2,-0.1,-0.1],"advantages":[0.1,0.2,0.3]}
///
/// `note` follows `status` when that is not "ok". `length` counts the tokens that the policy wrote, `logprob` is their
/// sum, `advantage` the mean; advantage and advantages are left out where no credit was assigned. Values that are not
/// finite are written as null.
class SamplesJsonl : public ReportSink {
 public:
  /// `keep` as in TelemetryFile.
  explicit SamplesJsonl(std::filesystem::path path, std::optional<std::int64_t> keep = std::nullopt)
      : file_(std::move(path), keep) {}
  void write(const MetricRow&) override {}
  void sample(const SampleRow& row) override;
  std::optional<FilePosition> position() override {
    return FilePosition{file_.path().filename().string(), file_.sync()};
  }

 private:
  TelemetryFile file_;
};

/// The line of a sample, without its end.
std::string sample_line(const SampleRow& row);

}  // namespace hone
