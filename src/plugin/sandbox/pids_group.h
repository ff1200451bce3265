#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

namespace hone::sandbox {

/// A cgroup (version 1 or 2) of this process's own that counts processes, with one child group a sandbox: a second
/// bound on fork bombs beside RLIMIT_NPROC. Removed with the object.
class PidsGroup {
 public:
  /// Null where cgroups are not writable or do not count processes.
  static std::unique_ptr<PidsGroup> make();
  PidsGroup(const PidsGroup&) = delete;
  PidsGroup& operator=(const PidsGroup&) = delete;
  ~PidsGroup();
  /// Puts a process into the group of the slot, which may hold `most`. Error{service}.
  void enter(int slot, pid_t process, std::int64_t most) const;
  /// The group of an ended sandbox.
  void leave(int slot) const;

 private:
  explicit PidsGroup(std::string folder) : folder_(std::move(folder)) {}
  std::string place(int slot) const;
  std::string folder_;
};

}  // namespace hone::sandbox
