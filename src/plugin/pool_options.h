#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "flow/services.h"
#include "plugin/worker.h"

namespace hone {

/// What every plug-in that runs in processes of its own can be told.
struct PoolOptions {
  std::int64_t workers = 1;
  std::int64_t batch = 64;
  Seconds timeout{30};
  Seconds start_timeout{60};
  Bytes max_reply{64LL << 20};
  Bytes max_memory{0};
  std::vector<std::pair<std::string, std::string>> config;

  void describe(Fields& f);
  /// For the process `command`, called `name` in the run's file.
  WorkerSpec worker(std::string name, std::string kind, std::vector<std::string> command, const Services& services) const;
};

/// The stream that the seeds of a plug-in's items come from.
std::uint64_t plugin_key(const Services& services, const std::string& name);

}  // namespace hone
