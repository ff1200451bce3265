#include "plugin/sandbox/tree_memory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace hone::sandbox {

namespace {

void add_children(pid_t parent, std::vector<pid_t>& found) {
  std::error_code none;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", parent), none)) {
    std::ifstream children(task.path() / "children");
    for (pid_t child; children >> child;) found.push_back(child);
  }
}

}  // namespace

std::int64_t memory_of_descendants(pid_t root) {
  constexpr std::size_t most = 4096;  // a tree that grows while it is read
  std::vector<pid_t> processes;
  add_children(root, processes);
  std::int64_t pages = 0;
  for (std::size_t i = 0; i < processes.size() && i < most; ++i) {
    std::ifstream sizes(fmt::format("/proc/{}/statm", processes[i]));
    std::int64_t size = 0, resident = 0, shared = 0;
    if (sizes >> size >> resident >> shared) pages += resident - shared;
    add_children(processes[i], processes);
  }
  return pages * ::sysconf(_SC_PAGESIZE);
}

}  // namespace hone::sandbox
