#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hone::sandbox {

/// A program's first word that means: run the probe in its place.
inline constexpr std::string_view probe_command = "<probe>";

/// What a probe tries to reach from inside.
struct ProbeTargets {
  std::string folder;                      ///< everybody may read and write it; it holds the readable file "secret"
  int port = 0;                            ///< on 127.0.0.1, somebody listens
  std::string socket;                      ///< name of an abstract Unix socket, somebody listens
  std::int64_t process = 0;                ///< the launcher
  std::int64_t processes = 0, memory = 0;  ///< limits that must bind
  std::vector<std::string> readable;       ///< folders above these may be listed
  std::vector<std::string> command() const;
};

/// Runs in the place of a program, after the last layer: tries to break each property of layers.h and prints a line
/// "<property> ok" or "<property> <what was possible>" for each on stdout. Leaves a process behind that left its
/// session, ignores signals and holds descriptor 3, prints "done" and returns 0.
int probe_inside(const std::vector<std::string>& command);

}  // namespace hone::sandbox
