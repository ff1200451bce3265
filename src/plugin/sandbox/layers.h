#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone::sandbox {

/// How a program is shut away from the files and processes of the machine.
enum class Isolation {
  namespaces,  ///< new user, mount, pid, net, ipc, uts and cgroup namespaces, made by the launcher
  bubblewrap,  ///< the same, made by bwrap: where the system allows them to that program only
  landlock,    ///< none of these: Landlock, seccomp and a user id of its own; needs to start as root
};
inline constexpr std::string_view isolation_names[] = {"namespaces", "bubblewrap", "landlock"};

/// What is active for every program.
struct Layers {
  Isolation isolation = Isolation::namespaces;
  bool drops_uid = false;    ///< started as root: every program gets an unprivileged user id of its own
  int landlock_version = 0;  ///< 0: the kernel has none
  bool pids_group = false;   ///< a pids cgroup counts the processes
  /// "user id 62003, user/mount/pid/net/ipc/uts namespaces, Landlock 4, seccomp, rlimits"
  std::string text() const;
};

/// What must be proven before anything runs; `allow_weaker` takes these names.
inline constexpr std::string_view properties[] = {
    "identity",       // not root, and no way back
    "network",        // no socket reaches anything
    "files_read",     // nothing of /root, /home or of other folders can be read
    "files_written",  // nothing outside its own folder can be written
    "processes",      // others cannot be seen, signalled or read
    "process_limit",  // a fork bomb stops at the limit
    "memory_limit",   // so does a memory bomb
    "ending",         // everything it started dies with it
};

/// What the launcher was told.
struct Settings {
  std::vector<Isolation> isolations = {Isolation::namespaces, Isolation::bubblewrap, Isolation::landlock};  ///< to try
  std::vector<std::string> readable;      ///< paths beside the system's that programs may read
  std::vector<std::string> allow_weaker;  ///< names of properties that need not hold
  std::int64_t processes = 32;            ///< and threads, of one program
};

/// The user id (and group id) outside of a program, and its number among those that run now.
struct Slot {
  int number = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Paths that every program may read, where they exist: what interpreters and compilers need. Never /home, /root, /tmp,
/// /proc or /sys. Error{config} for one of the settings' that is not there.
std::vector<std::string> readable_paths(const Settings& settings);

}  // namespace hone::sandbox
