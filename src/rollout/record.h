#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/json.h"
#include "flow/types.h"
#include "io/telemetry_file.h"

namespace hone {

/// The rollouts of a run as JSON lines, one episode a line, for `rollout.replay`:
///
///     {"iteration":1,"group":0,"sample":0,"prompt_id":14,"prompt":"37+58=","prompt_ids":[51,55,43,53,56,61],
///      "turns":[{"ids":[57,53,256],"text":"95","logprobs":[-0.3,-1.2,-0.1],"finish":"stop"}],
///      "score":{"value":1,"status":"ok","parts":{"exact_match":1}}}
///
/// A turn that the environment answered has "reply" and "reply_ids" beside it, one drawn from a truncated distribution
/// "sampler_logprobs"; a score has "note" and "spans" ([turn, end token, value]) where there are any. Numbers read back
/// as the very bits that were written. Iterations count from 1.
Json record_json(std::int64_t iteration, const Episode& episode);

/// Writes rollouts while a run goes on; the disk never stops it (io/telemetry_file.h).
class RolloutRecord {
 public:
  /// What `path` holds of the first `kept` iterations stays, the rest is cut off: a resumed run has done so many, a new
  /// one none. Missing directories are made. Error{io} or Error{permission}.
  RolloutRecord(const std::filesystem::path& path, std::int64_t kept);

  void write(std::int64_t iteration, std::span<const Episode> episodes);
  void sync() { file_.sync(); }

 private:
  TelemetryFile file_;
};

}  // namespace hone
