#include "plugin/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/utf8.h"
#include "plugin/library_call.h"
#include "plugin/shared_object.h"

namespace hone {

namespace fs = std::filesystem;

namespace {

constexpr const char* entry_name = "hone_plugin_entry";

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// What a table has at least: up to the last member that the first release had and that is not optional.
constexpr std::uint64_t plugin_minimum = offsetof(hone_plugin, environment) + sizeof(hone_plugin::environment);
constexpr std::uint64_t reward_minimum = offsetof(hone_reward, score) + sizeof(hone_reward::score);
constexpr std::uint64_t environment_minimum = offsetof(hone_environment, prompt) + sizeof(hone_environment::prompt);

/// Copies as much of a table as both sides know.
template <class Table>
Table checked_table(const Table* table, std::uint64_t minimum, std::string_view what, const fs::path& path) {
  std::uint64_t size = 0;
  std::memcpy(&size, table, sizeof size);
  if (size < minimum) {
    fail(ErrorKind::config,
         "plug-in {}: its {} says that it has {} bytes, expected at least {}; set its member size to sizeof({})",
         path.string(), what, size, minimum, what);
  }
  Table known{};
  std::memcpy(&known, table, std::min<std::size_t>(size, sizeof known));
  return known;
}

void check_range(std::int32_t value, std::int32_t last, std::string_view member, const fs::path& path) {
  if (value >= 0 && value <= last) return;
  fail(ErrorKind::config, "plug-in {}: {} is {}, expected 0 to {}; see hone/plugin.h", path.string(), member, value,
       last);
}

void check_given(bool given, std::string_view member, const fs::path& path) {
  if (!given) fail(ErrorKind::config, "plug-in {}: {} is NULL, but it has to be given", path.string(), member);
}

using Entry = const hone_plugin* (*)(const hone_host*);

const hone_plugin* call_entry(void* symbol, const fs::path& path) {
  const auto entry = reinterpret_cast<Entry>(symbol);
  try {
    return entry(&library_host());
  } catch (const std::exception& error) {
    fail(ErrorKind::config, "plug-in {}: {} threw: {}", path.string(), entry_name, valid_utf8(error.what()));
  } catch (...) {
    fail(ErrorKind::config, "plug-in {}: {} threw an exception", path.string(), entry_name);
  }
}

const hone_plugin* load(const fs::path& path) {
  check_shared_object(path);
  // Without a slash the loader would look in its own folders.
  const fs::path file = path.has_parent_path() ? path : fs::path(".") / path;
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    fail(ErrorKind::config, "plug-in {}: cannot be loaded: {}", path.string(), why == nullptr ? "unknown reason" : why);
  }
  void* symbol = ::dlsym(handle, entry_name);
  if (symbol == nullptr) {
    fail(ErrorKind::config,
         "plug-in {}: has no function {}; define it with HONE_PLUGIN_EXPORT (in C++ by including hone/plugin.h, which "
         "gives it its C name)",
         path.string(), entry_name);
  }
  const hone_plugin* plugin = call_entry(symbol, path);
  if (plugin == nullptr) {
    fail(ErrorKind::config, "plug-in {}: refuses this host (ABI version {}): {} returned NULL", path.string(),
         HONE_PLUGIN_ABI, entry_name);
  }
  return plugin;
}

}  // namespace

std::vector<fs::path> plugin_folders(std::span<const fs::path> configured) {
  std::vector<fs::path> folders(configured.begin(), configured.end());
  const std::string listed = variable("HONE_PLUGIN_PATH").value_or("");
  for (std::size_t begin = 0; begin < listed.size();) {
    const std::size_t end = std::min(listed.find(':', begin), listed.size());
    if (end > begin) folders.emplace_back(listed.substr(begin, end - begin));
    begin = end + 1;
  }
  if (const auto data = variable("XDG_DATA_HOME")) {
    folders.push_back(fs::path(*data) / "hone" / "plugins");
  } else if (const auto home = variable("HOME")) {
    folders.push_back(fs::path(*home) / ".local" / "share" / "hone" / "plugins");
  }
  return folders;
}

fs::path find_library(std::string_view library, std::span<const fs::path> configured) {
  if (library.empty()) fail(ErrorKind::config, "a plug-in library: expected a name or a path, got nothing");
  if (library.find('/') != library.npos) return library;
  const std::vector<fs::path> folders = plugin_folders(configured);
  std::string looked;
  for (const fs::path& folder : folders) {
    for (const std::string& name :
         {std::string(library), fmt::format("{}.so", library), fmt::format("lib{}.so", library)}) {
      std::error_code ignored;
      if (fs::is_regular_file(folder / name, ignored)) return folder / name;
    }
    looked += fmt::format("{}{}", looked.empty() ? "" : ", ", folder.string());
  }
  fail(ErrorKind::config,
       "plug-in {0}: no file {0}, {0}.so or lib{0}.so in {1}; write a path with a slash (./{0}.so), or add its folder "
       "to "
       "HONE_PLUGIN_PATH",
       library, looked.empty() ? "any folder" : looked);
}

std::shared_ptr<Library> Library::open(const fs::path& path) {
  static std::mutex mutex;
  static std::map<fs::path, std::shared_ptr<Library>> open_libraries;
  const std::lock_guard<std::mutex> lock(mutex);
  std::error_code ignored;
  const fs::path key = fs::weakly_canonical(path, ignored);
  if (const auto known = open_libraries.find(key); known != open_libraries.end()) return known->second;
  const std::shared_ptr<Library> library(new Library(path, load(path)));
  open_libraries.emplace(key, library);
  return library;
}

Library::Library(fs::path path, const hone_plugin* plugin) : path_(std::move(path)) {
  // The version stands right behind the size in every version, so it is looked at before anything else is believed.
  if (plugin->abi != HONE_PLUGIN_ABI) {
    fail(ErrorKind::config,
         "plug-in {}: has ABI version {}, this hone has {}; compile it with this hone's hone/plugin.h", path_.string(),
         plugin->abi, HONE_PLUGIN_ABI);
  }
  const hone_plugin known = checked_table(plugin, plugin_minimum, "hone_plugin", path_);
  check_given(known.name != nullptr, "hone_plugin.name", path_);
  name_ = valid_utf8(known.name);
  if (known.reward == nullptr && known.environment == nullptr) {
    fail(ErrorKind::config, "plug-in {}: offers neither a reward nor an environment", path_.string());
  }
  if (known.reward != nullptr) take_reward(known.reward);
  if (known.environment != nullptr) take_environment(known.environment);
}

void Library::take_reward(const hone_reward* reward) {
  reward_ = checked_table(reward, reward_minimum, "hone_reward", path_);
  check_range(reward_.scope, HONE_SCOPE_BATCH, "hone_reward.scope", path_);
  check_range(reward_.threads, HONE_THREADS_ANY, "hone_reward.threads", path_);
  check_given(reward_.score != nullptr, "hone_reward.score", path_);
  has_reward_ = true;
}

void Library::take_environment(const hone_environment* environment) {
  environment_ = checked_table(environment, environment_minimum, "hone_environment", path_);
  check_given(environment_.prompts != nullptr, "hone_environment.prompts", path_);
  check_given(environment_.prompt != nullptr, "hone_environment.prompt", path_);
  check_given(environment_.step != nullptr || environment_.reset == nullptr, "hone_environment.step, beside reset,",
              path_);
  if ((environment_.state_save == nullptr) != (environment_.state_load == nullptr)) {
    fail(ErrorKind::config,
         "plug-in {}: has only one of hone_environment.state_save and state_load; expected both or none",
         path_.string());
  }
  has_environment_ = true;
}

}  // namespace hone
