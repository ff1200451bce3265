#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "io/file.h"

namespace hone {

struct ProcessSpec {
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> environment;  ///< beside the one that hone has
  std::int64_t max_memory = 0;   ///< bytes of address space of each of its processes; 0: no limit
  bool separate_replies = true;  ///< descriptor 3 and HONE_REPLY_FD=3; without it replies are on stdout
};

/// A program under a supervisor (plugin/host/supervise.h) that leaves nothing of it behind, however it or hone ends.
/// Descriptors are non-blocking. Threads: one at a time.
class ChildProcess {
 public:
  /// Error{io} when no process can be made. A command that cannot be started shows in ending().
  explicit ChildProcess(const ProcessSpec& spec);
  /// Kills what still runs and waits until it is gone.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  int input() const { return input_.get(); }      ///< its stdin; -1 when closed
  int replies() const { return replies_.get(); }  ///< descriptor 3; -1 without
  int output() const { return output_.get(); }    ///< its stdout
  int errors() const { return errors_.get(); }    ///< its stderr
  int control() const { return control_.get(); }  ///< readable when it has ended
  void close_input() { input_ = FileDescriptor(); }

  /// How it ended, waiting at most `seconds` for that: "ended with exit code 3", "was killed by signal 11 (Segmentation
  /// fault)", "cannot be started: No such file or directory"; "" while it runs.
  std::string ending(double seconds);

  /// Lets it end by itself once its stdin is closed, for at most `seconds`.
  void finish(double seconds);

 private:
  FileDescriptor input_, replies_, output_, errors_, control_;
  int supervisor_ = -1;
  std::string ending_;
};

/// $HONE_PLUGIN_HOST, else hone-plugin-host beside the running program. Error{io} when it is not there.
std::filesystem::path plugin_host();

}  // namespace hone
