#include <algorithm>
#include <cstdio>

#include "app/commands.h"
#include "app/sweep_trials.h"
#include "base/error.h"
#include "base/stop.h"

namespace hone {

namespace {

constexpr double most_seconds_to_save = 3600;  // a run has its own, shorter run.stop_grace

}  // namespace

void command_sweep(const std::string& file) {
  const SweepConfig config = load_sweep(file);
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  const StopSignals signals(most_seconds_to_save);
  Sweep sweep(config, program.string());
  const std::vector<SweepTrial>& trials = sweep.run();
  std::fputs(sweep.table().c_str(), stdout);
  if (std::ranges::none_of(trials, [](const SweepTrial& trial) { return trial.value.has_value(); })) {
    fail(ErrorKind::data, "{}: no trial has a value of {}; the logs are in {}", file, config.metric, config.directory);
  }
}

}  // namespace hone
