#include "base/memory.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace hone {

namespace {

/// The number that follows `key` at the start of a line; -1 when there is none.
std::int64_t number_after(const std::string& file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    char* end = nullptr;
    const std::int64_t number = std::strtoll(line.c_str() + key.size(), &end, 10);
    if (end != line.c_str() + key.size()) return number;
  }
  return -1;
}

std::int64_t kib_after(const std::string& file, const std::string& key) {
  const std::int64_t number = number_after(file, key);
  return number < 0 ? -1 : number * 1024;
}

/// What a control group leaves of its limit: what it uses, but for files that the system can drop. -1: no limit.
std::int64_t left_in(const std::string& group) {
  const std::int64_t limit = number_after(group + "/memory.max", "");  // "max": none
  const std::int64_t used = number_after(group + "/memory.current", "");
  if (limit < 0 || used < 0) return -1;
  const std::int64_t droppable = std::max<std::int64_t>(0, number_after(group + "/memory.stat", "inactive_file "));
  return std::max<std::int64_t>(0, limit - used + droppable);
}

/// The least that the process's group and those around it leave (control groups, version 2); -1: no limit.
std::int64_t left_in_groups() {
  std::ifstream in("/proc/self/cgroup");
  std::string group;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("0::/")) group = line.substr(3);
  }
  std::int64_t least = -1;
  while (!group.empty()) {
    const std::int64_t left = left_in("/sys/fs/cgroup" + (group == "/" ? "" : group));
    if (left >= 0) least = least < 0 ? left : std::min(least, left);
    if (group == "/") break;
    group.resize(std::max<std::size_t>(1, group.rfind('/')));
  }
  return least;
}

}  // namespace

std::int64_t available_memory() {
  const std::int64_t machine = kib_after("/proc/meminfo", "MemAvailable:");
  const std::int64_t group = left_in_groups();
  return machine >= 0 && group >= 0 ? std::min(machine, group) : std::max(machine, group);
}

std::int64_t held_memory() {
  return kib_after("/proc/self/status", "RssAnon:");
}

}  // namespace hone
