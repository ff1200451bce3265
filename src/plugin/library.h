#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/sdk/hone/plugin.h"

namespace hone {

/// Folders in which plug-ins are looked for: `configured` first, then those of HONE_PLUGIN_PATH (separated by colons),
/// then $XDG_DATA_HOME/hone/plugins (by default ~/.local/share/hone/plugins).
std::vector<std::filesystem::path> plugin_folders(std::span<const std::filesystem::path> configured);

/// The file that `library` names: a path when it has a slash, else the first of NAME, NAME.so and libNAME.so in
/// plugin_folders. Error{config} that lists where it looked.
std::filesystem::path find_library(std::string_view library, std::span<const std::filesystem::path> configured = {});

/// A plug-in that is loaded into this process, with its tables checked: an older plug-in's shorter tables are filled up
/// with null. It stays loaded until the process ends, because its threads and destructors may outlast any use of it.
class Library {
 public:
  /// The same object for the same file. Beside the errors of check_shared_object, Error{config} when the loader refuses
  /// it, when it has no hone_plugin_entry, refuses this host, has another ABI version or a table that cannot be right.
  /// Runs code of the plug-in: its initialisers and its entry.
  static std::shared_ptr<Library> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::string& name() const { return name_; }  ///< what it calls itself
  /// Null when it has none.
  const hone_reward* reward() const { return has_reward_ ? &reward_ : nullptr; }
  const hone_environment* environment() const { return has_environment_ ? &environment_ : nullptr; }
  /// Held during every call of a library that declares HONE_THREADS_SERIAL.
  std::mutex& serial() { return serial_; }

 private:
  Library(std::filesystem::path path, const hone_plugin* plugin);
  void take_reward(const hone_reward* reward);
  void take_environment(const hone_environment* environment);

  std::filesystem::path path_;
  std::string name_;
  hone_reward reward_{};
  hone_environment environment_{};
  bool has_reward_ = false;
  bool has_environment_ = false;
  std::mutex serial_;
};

}  // namespace hone
