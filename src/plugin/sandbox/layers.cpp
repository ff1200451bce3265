#include "plugin/sandbox/layers.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"

namespace hone::sandbox {

std::string Layers::text() const {
  std::string text = drops_uid ? "unprivileged user ids, " : "";
  switch (isolation) {
    case Isolation::namespaces: text += "user/mount/pid/net/ipc/uts namespaces, "; break;
    case Isolation::bubblewrap: text += "bubblewrap (user/mount/pid/net/ipc/uts namespaces), "; break;
    case Isolation::landlock: text += "no namespaces, "; break;
  }
  if (landlock_version > 0) text += fmt::format("Landlock {}, ", landlock_version);
  text += "seccomp, rlimits";
  if (pids_group) text += ", pids cgroup";
  return text;
}

std::vector<std::string> readable_paths(const Settings& settings) {
  std::vector<std::string> paths;
  std::vector<std::string> wanted = {"/usr",
                                     "/bin",
                                     "/sbin",
                                     "/lib",
                                     "/lib32",
                                     "/lib64",
                                     "/etc/ld.so.cache",
                                     "/etc/ld.so.conf",
                                     "/etc/alternatives",
                                     "/etc/localtime",
                                     "/nix/store"};
  for (const std::string& path : settings.readable) {
    std::error_code error;
    if (!path.starts_with('/') || !std::filesystem::exists(path, error)) {
      fail(ErrorKind::config, "sandbox.readable: {}: expected the absolute path of something that is there", path);
    }
    wanted.push_back(path);
  }
  for (const std::string& path : wanted) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) paths.push_back(path);
  }
  return paths;
}

}  // namespace hone::sandbox
