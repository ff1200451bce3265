#include "app/run_directory.h"

#include <algorithm>

#include <fmt/ranges.h>

#include "app/catalog.h"
#include "base/error.h"
#include "base/log.h"
#include "config/writer.h"
#include "io/file.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

constexpr const char* config_file = "config.yaml";
constexpr const char* lock_file = "lock";

/// Moves an existing directory to the first free name behind it.
void move_aside(const fs::path& directory) {
  LockFile(directory / lock_file);  // not under the feet of a process that writes into it
  for (int i = 1;; ++i) {
    const fs::path aside = directory.string() + fmt::format(".{}", i);
    if (fs::exists(aside)) continue;
    fs::rename(directory, aside);
    log_info("moved the earlier run to {}", aside.string());
    return;
  }
}

/// What a killed process was writing: nothing reads it.
void remove_leftovers(const fs::path& directory) {
  std::vector<fs::path> leftovers;
  for (fs::recursive_directory_iterator entry(directory), end; entry != end; ++entry) {
    if (!entry->path().filename().string().starts_with(".tmp-")) continue;
    leftovers.push_back(entry->path());
    entry.disable_recursion_pending();
  }
  for (const fs::path& leftover : leftovers) fs::remove_all(leftover);
}

std::vector<std::string> stage_names(const RootConfig& config) {
  std::vector<std::string> names;
  for (const auto& stage : config.stages) names.push_back(stage->name);
  return names;
}

/// Keys that do not change what was computed so far. `stages` from the one to go on with may get another length.
bool may_differ(const std::string& key, std::span<const std::string> stages_to_come) {
  if (key == "run.name" || key == "run.directory" || key == "run.stop_grace") return true;
  if (key.starts_with("checkpoints.") || key.starts_with("report.")) return true;
  if (key.starts_with("stages.") && key.ends_with(".checkpoint_every")) return true;
  return std::any_of(stages_to_come.begin(), stages_to_come.end(), [&key](const std::string& stage) {
    const std::string prefix = "stages." + stage + ".";
    return key == prefix + "steps" || key == prefix + "epochs" || key == prefix + "iterations";
  });
}

}  // namespace

Node resolved_config(const RootConfig& config) {
  return resolved(built_in(), [&config](Fields& f) { const_cast<RootConfig&>(config).describe(f); });
}

bool RunDirectory::begun(const RootConfig& config) { return fs::exists(config.run_directory() / config_file); }

RunDirectory::RunDirectory(const RootConfig& config, bool fresh) : path_(config.run_directory()) {
  if (fresh && fs::exists(path_)) move_aside(path_);
  const bool existed = fs::exists(path_) && !fs::is_empty(path_);
  if (existed && !fs::exists(path_ / config_file) && !fs::exists(path_ / lock_file)) {
    fail(ErrorKind::config, "{} exists and is not the directory of a run: choose another run.name, or give --fresh to move "
         "it aside", path_.string());
  }
  make_directories(path_);
  lock_.emplace(path_ / lock_file);
  remove_leftovers(path_);
  resume_point_ = find_resume_point(path_, stage_names(config));
  const Node now = resolved_config(config);
  if (fs::exists(path_ / config_file)) compare_configuration(config, now);
  write_file_atomic(path_ / config_file, to_yaml(now));
}

void RunDirectory::compare_configuration(const RootConfig& config, const Node& now) const {
  const std::string file = (path_ / config_file).string();
  const Node before = resolved_config(load_root(file, {}));
  const std::vector<std::string> stages = stage_names(config);
  const std::size_t first = resume_point_ ? std::min(resume_point_->stage, stages.size()) : 0;
  std::vector<std::string> different;
  for (const std::string& key : differing_keys(now, before)) {
    if (!may_differ(key, std::span(stages).subspan(first))) different.push_back(key);
  }
  if (different.empty()) return;
  fail(ErrorKind::config,
       "{} holds a run of another configuration; it differs in {}. Choose another run.name, or give --fresh to move it aside",
       path_.string(), fmt::join(different, ", "));
}

std::int64_t RunDirectory::kept_bytes(const std::string& file) const {
  if (!resume_point_) return 0;
  for (const FilePosition& position : resume_point_->record.files) {
    if (position.file == file) return position.bytes;
  }
  return 0;
}

}  // namespace hone
