#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/sweep.h"

namespace hone {

/// One run of a sweep.
struct SweepTrial {
  std::size_t point = 0;  ///< index of its overrides
  std::string name;       ///< of its run directory: "trial_003", "trial_003_of_90" where a resource is raised
  SweepPoint overrides;
  std::optional<double> value;  ///< the metric's last one; nothing when the run failed or never reported it
  std::string status = "waiting";  ///< "finished", "exit code 65" …
};

/// Runs the trials of a sweep one after the other as child processes, each in a run directory of its own, and leaves
/// results.jsonl beside them. What has finished is not run again, so a sweep that was stopped goes on.
class Sweep {
 public:
  /// `program`: hone itself. Creates the sweep's directory. Error{config} when that holds another sweep.
  Sweep(SweepConfig config, std::string program);

  /// All trials, those of every rung. Error{stopped} or Error{preempted} when a run was.
  const std::vector<SweepTrial>& run();

  /// The trials with a value, best first (of the last rung, with halving), then the others.
  std::string table() const;

 private:
  void run_rung(const std::vector<std::size_t>& points, std::optional<std::int64_t> resource);
  void run_trial(SweepTrial& trial);
  void read_result(SweepTrial& trial) const;
  void write_results() const;

  SweepConfig config_;
  std::string program_;
  std::vector<SweepPoint> points_;
  std::vector<SweepTrial> trials_;
  std::size_t last_rung_ = 0;  ///< index of its first trial
};

}  // namespace hone
