#include "app/machine.h"

#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

#include <fmt/format.h>

#include "build_commit.h"

namespace hone {

namespace {

/// The value of the first line `key<separator>value` of a file, or "".
std::string value_in(const char* file, const std::string& key, char separator) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t\"", at + 1);
    if (begin == std::string::npos) return "";
    return line.substr(begin, line.find_last_not_of(" \t\"") + 1 - begin);
  }
  return "";
}

}  // namespace

std::string cpu_model() { return value_in("/proc/cpuinfo", "model name", ':'); }

std::int64_t free_disk(const char* path) {
  struct statvfs stats {};
  return ::statvfs(path, &stats) == 0 ? static_cast<std::int64_t>(stats.f_bavail * stats.f_frsize) : -1;
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string operating_system() {
  struct utsname kernel {};
  ::uname(&kernel);
  return fmt::format("{}, {} {}", value_in("/etc/os-release", "PRETTY_NAME", '='), kernel.sysname, kernel.release);
}

const char* build_commit() { return HONE_BUILD_COMMIT; }

}  // namespace hone
