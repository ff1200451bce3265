#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "plugin/worker.h"

namespace hone {

/// Several processes of one plug-in. A process that failed is replaced when it is needed again, after a pause that
/// doubles with every failure in a row. Threads: any number of calls at once; each has a process for itself, and waits
/// for one when all are busy.
class WorkerPool {
 public:
  /// Starts one process, so that a plug-in that cannot run is told before anything else is done: Error{service}. The
  /// others are started when they are needed.
  WorkerPool(WorkerSpec spec, std::int64_t workers);

  /// The hello of the first process.
  const Json& hello() const { return hello_; }
  std::int64_t workers() const { return static_cast<std::int64_t>(slots_.size()); }

  /// Sends the items to a process; the reply has as many. `seconds` count from when the process is ready.
  PluginWorker::Result call(std::string_view key, Json::Array items, double seconds);

  /// Means of the figures that the plug-in told, and "restarts", all since the last time.
  std::vector<std::pair<std::string, double>> take_metrics();

 private:
  struct Slot {
    std::unique_ptr<PluginWorker> worker;
    bool busy = false;
    bool started = false;  ///< at least once
    int failures = 0;      ///< in a row
    Deadline not_before{};
  };
  Slot& lease();
  void give_back(Slot& slot, bool failed);
  std::optional<PluginFailure> make_ready(Slot& slot);

  WorkerSpec spec_;
  Json hello_;
  std::mutex mutex_;  ///< over what follows; a leased slot belongs to its caller
  std::condition_variable idle_;
  std::vector<Slot> slots_;
  std::vector<std::pair<std::string, double>> figures_;
  std::int64_t restarts_ = 0;
};

}  // namespace hone
