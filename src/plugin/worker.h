#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "plugin/process_io.h"

namespace hone {

struct WorkerSpec {
  std::string name;    ///< of the reward or environment in the run's file
  ProcessSpec process;
  std::string kind;    ///< reward | environment
  Json config;         ///< a map of strings, handed to the plug-in
  std::uint64_t seed = 0;
  double start_seconds = 60;  ///< for the hello
  std::int64_t max_reply_bytes = 64 << 20;
};

/// A plug-in process that speaks the JSON-lines protocol (docs/plugins.md). After a failed call, be it late, dead or not
/// to be understood, it is not used again: destroy it and start another. Threads: one at a time.
class PluginWorker {
 public:
  /// Starts the process and exchanges hellos. Error{service} with how it failed.
  explicit PluginWorker(const WorkerSpec& spec);
  /// Closes its stdin, gives it a moment to end by itself, then kills it with all it started.
  ~PluginWorker();
  PluginWorker(const PluginWorker&) = delete;
  PluginWorker& operator=(const PluginWorker&) = delete;

  const Json& hello() const { return hello_; }

  /// The reply to one request: a map that gets an "id" in front.
  using Result = std::variant<Json, PluginFailure>;
  Result call(std::string_view key, Json::Array items, Deadline deadline);
  /// The figures that it told since the last time: {"metric": {name: value}}.
  std::vector<std::pair<std::string, double>> take_metrics() { return std::exchange(metrics_, {}); }
  /// Whether the last failure left the process in a state that nobody knows.
  bool broken() const { return broken_; }

 private:
  Result next_message(Deadline deadline, std::string_view doing);
  Result fail_broken(std::string why, std::string reason);
  bool aside(const Json& message);

  std::string name_;
  ProcessIo io_;
  Json hello_;
  std::vector<std::pair<std::string, double>> metrics_;
  std::int64_t last_id_ = 0;
  bool broken_ = false;
};

}  // namespace hone
