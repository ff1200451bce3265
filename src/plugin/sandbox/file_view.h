#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace hone::sandbox {

/// The folder of a program inside its sandbox: empty but for its files, writable, its home and current folder.
inline constexpr const char* box = "/box";
/// Bytes and files that a program can keep in its folder and in /tmp together.
inline constexpr std::int64_t box_bytes = 64 << 20;
inline constexpr std::int64_t box_files = 4096;

/// Replaces everything this process sees by a new root in memory: `readable` paths (read-only, without set-user-id and
/// device files), five harmless devices, the folder `box` and /tmp. No /proc, no /sys. Needs a mount namespace of its
/// own and the right to mount in it. Error{service} naming the step that failed.
void enter_private_root(const std::vector<std::string>& readable);

/// Error{data} for a file name that is empty, absolute or has "..".
void check_names(const std::vector<std::pair<std::string, std::string>>& files);
/// Checks the names, then writes the files below `folder`. Error{service} when the system refuses.
void write_files(const std::string& folder, const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace hone::sandbox
