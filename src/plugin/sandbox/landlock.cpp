#include "plugin/sandbox/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "io/file.h"
#include "plugin/sandbox/system_error.h"

namespace hone::sandbox {

namespace {

// Newer than the headers of some systems that hone builds on; the kernel is asked for its version.
constexpr std::uint64_t access_refer = 1 << 13, access_truncate = 1 << 14, access_ioctl_device = 1 << 15;
constexpr std::uint64_t network_bind_tcp = 1 << 0, network_connect_tcp = 1 << 1;
constexpr std::uint64_t scope_abstract_socket = 1 << 0, scope_signal = 1 << 1;
struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;  // from version 4
  std::uint64_t scoped;   // from version 6
};

constexpr std::uint64_t read_access =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t first_accesses = (1 << 13) - 1;
constexpr std::uint64_t on_files =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | access_truncate;

std::uint64_t known_accesses(int version) {
  return first_accesses | (version >= 2 ? access_refer : 0) | (version >= 3 ? access_truncate : 0) |
         (version >= 5 ? access_ioctl_device : 0);
}

void allow(int ruleset, const std::string& path, std::uint64_t access) {
  const FileDescriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (place.get() < 0) fail_errno("open " + path);
  struct stat about {};
  checked(::fstat(place.get(), &about), "look at " + path);
  if (!S_ISDIR(about.st_mode)) access &= on_files;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = place.get();
  checked(::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0), "add a rule of Landlock");
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

void restrict_to(const std::vector<std::string>& readable, const std::vector<std::string>& writable, int version) {
  const std::uint64_t all = known_accesses(version);
  const RulesetAttributes handled{
      .files = all, .network = network_bind_tcp | network_connect_tcp, .scoped = scope_abstract_socket | scope_signal};
  const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const FileDescriptor ruleset(static_cast<int>(
      checked(::syscall(SYS_landlock_create_ruleset, &handled, size, 0), "make a set of rules of Landlock")));
  for (const std::string& path : readable) allow(ruleset.get(), path, read_access);
  for (const std::string& path : writable) allow(ruleset.get(), path, all);
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
    if (::access(device, F_OK) == 0) {
      allow(ruleset.get(), device, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
    }
  }
  checked(::syscall(SYS_landlock_restrict_self, ruleset.get(), 0), "enter the domain of Landlock");
}

}  // namespace hone::sandbox
