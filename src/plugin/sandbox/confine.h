#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "flow/services.h"
#include "plugin/sandbox/layers.h"

namespace hone::sandbox {

/// Everything that the first process of a sandbox needs; decided before it starts.
struct Confinement {
  Layers layers;
  std::vector<std::string> readable;
  std::vector<sock_filter> filter;
  std::int64_t processes = 32;
  Slot slot;
  std::string folder;  ///< Isolation::landlock: the program's folder on disk, owned by the slot's user
};

/// Descriptors of the first process.
struct Ends {
  int input = -1, output = -1, errors = -1;  ///< the program's 0, 1 and 2
  int stream = -1;                           ///< the program's 3, or -1
  int go = -1;                               ///< one byte: ids are mapped, the group is joined; end of file: give up
  int status =
      -1;  ///< a packet socket: "S" when all is ready to execute, then "E" and a wait status, or "R" and why not
};

/// User and group id within namespaces.
inline constexpr int inner_id = 1000;

/// The first process of a sandbox, in its new namespaces where there are any: it confines itself, starts the program
/// in one more process, reaps whatever is orphaned, reports how the program ended, and exits, which ends everything
/// in its pid namespace. Never returns and never throws.
[[noreturn]] void be_first_process(const Confinement& confinement, const Executor::Program& program, const Ends& ends);

/// The last steps, for a process that sees nothing but what the program may see: resource limits, no capabilities,
/// Landlock with `readable` and `folder` (its current folder from now on), seccomp; then "S" on `status` and the
/// command, or the probe in its place. Returns by an Error{service}. `status` closes by exec.
[[noreturn]] void finish_and_run(const Confinement& confinement, const Executor::Program& program,
                                 const std::vector<std::string>& readable, const std::string& folder, int status);
/// "R" and why, on a status socket.
void tell_refusal(int status, std::string_view why);

/// The user id of the slot, for good and without supplementary groups. Error{service}.
void become(uid_t uid, gid_t gid);
/// Closes all descriptors from 3 on but these.
void keep_only(std::vector<int> kept);
/// All descriptors from `first` on get closed by exec.
void close_by_exec(int first);
/// What a program finds in its environment.
std::vector<std::string> environment_in(const std::string& folder);

}  // namespace hone::sandbox
