#include "plugin/sandbox/pids_group.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "io/file.h"
#include "plugin/sandbox/system_error.h"

namespace hone::sandbox {

namespace {

bool write_value(const std::string& path, std::string_view value) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.get() >= 0 && ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

/// Folders that may take a group: the one of version 1's pids controller and the one that this process is in.
std::vector<std::string> parents() {
  std::vector<std::string> found;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    if (controllers == "pids") found.push_back("/sys/fs/cgroup/pids" + path);
    if (controllers.empty()) found.push_back("/sys/fs/cgroup" + path);
  }
  return found;
}

constexpr std::string_view prefix = "hone-sandbox-";

void remove_group(const std::string& folder) {
  for (int slot = 0; slot < 256; ++slot) ::rmdir(fmt::format("{}/{}", folder, slot).c_str());
  ::rmdir(folder.c_str());
}

/// Groups of launchers that were killed.
void remove_old(const std::string& parent) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(parent, none)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const long process = std::strtol(name.c_str() + prefix.size(), nullptr, 10);
    if (process > 0 && ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH) remove_group(entry.path());
  }
}

}  // namespace

std::unique_ptr<PidsGroup> PidsGroup::make() {
  for (const std::string& parent : parents()) {
    remove_old(parent);
    const std::string folder = fmt::format("{}/{}{}", parent, prefix, ::getpid());
    if (::mkdir(folder.c_str(), 0755) != 0) continue;
    std::unique_ptr<PidsGroup> group(new PidsGroup(folder));
    // Version 2 hands controllers down one level at a time; version 1 has no such file.
    write_value(folder + "/cgroup.subtree_control", "+pids");
    if (::mkdir(group->place(0).c_str(), 0755) == 0 && write_value(group->place(0) + "/pids.max", "1")) return group;
  }
  return nullptr;
}

PidsGroup::~PidsGroup() { remove_group(folder_); }

std::string PidsGroup::place(int slot) const { return fmt::format("{}/{}", folder_, slot); }

void PidsGroup::enter(int slot, pid_t process, std::int64_t most) const {
  const std::string group = place(slot);
  if (::mkdir(group.c_str(), 0755) != 0 && errno != EEXIST) fail_errno("make the process group " + group);
  if (!write_value(group + "/pids.max", fmt::to_string(most))) fail_errno("limit the processes of " + group);
  if (!write_value(group + "/cgroup.procs", fmt::to_string(process))) fail_errno("enter " + group);
}

void PidsGroup::leave(int slot) const { ::rmdir(place(slot).c_str()); }

}  // namespace hone::sandbox
