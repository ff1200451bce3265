#include "io/atomic_directory.h"

#include "base/error.h"
#include "base/failpoint.h"
#include "base/json.h"
#include "io/checksum.h"
#include "io/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

namespace hone {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifest = "manifest.json";
constexpr std::string_view kFormat = "hone-directory";
constexpr std::int64_t kVersion = 1;

void check(const std::error_code& error, std::string_view action, const fs::path& path) {
  if (error) fail_system(action, path, error.value());
}

/// Regular files and directories below `root`, sorted, the root not among them.
struct Tree {
  std::vector<fs::path> files;
  std::vector<fs::path> directories;
};
Tree tree_of(const fs::path& root) {
  Tree tree;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_directory()) tree.directories.push_back(entry.path());
    if (entry.is_regular_file()) tree.files.push_back(entry.path());
  }
  std::sort(tree.files.begin(), tree.files.end());
  return tree;
}

std::string manifest_of(const fs::path& root, const std::vector<fs::path>& files) {
  Json::Object entries;
  for (const fs::path& file : files) {
    Json entry = Json::object();
    entry.set("size", static_cast<std::int64_t>(fs::file_size(file)));
    entry.set("xxh3", file_checksum(file));
    entries.emplace_back(file.lexically_relative(root).generic_string(), std::move(entry));
  }
  Json manifest = Json::object();
  manifest.set("format", Json(kFormat));
  manifest.set("version", kVersion);
  manifest.set("files", Json(std::move(entries)));
  return manifest.dump(2) + "\n";
}

/// One line for a listed file that is not as listed, else "".
std::string problem_of(const fs::path& file, const std::string& name, const Json& entry) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) return fmt::format("{}: {}", name, error.message());
  const std::int64_t expected = entry.at("size").as_integer();
  if (static_cast<std::int64_t>(size) != expected) {
    return fmt::format("{}: {} bytes, expected {}", name, size, expected);
  }
  const std::string checksum = file_checksum(file);
  if (checksum != entry.at("xxh3").as_string()) {
    return fmt::format("{}: checksum {}, expected {}", name, checksum, entry.at("xxh3").as_string());
  }
  return "";
}

}  // namespace

AtomicDirectory::AtomicDirectory(fs::path place, Existing existing)
    : place_(fs::absolute(place).lexically_normal()), existing_(existing) {
  if (place_.filename().empty()) place_ = place_.parent_path();  // "a/b/" names b
  temporary_ = place_.parent_path() / (".tmp-" + place_.filename().string());
  if (existing_ == Existing::refuse && fs::exists(place_)) {
    fail(ErrorKind::io, "{} exists already and is not overwritten", place_.string());
  }
  std::error_code error;
  fs::remove_all(temporary_, error);
  check(error, "cannot delete", temporary_);
  fs::create_directories(temporary_, error);
  check(error, "cannot create", temporary_);
}

AtomicDirectory::~AtomicDirectory() {
  std::error_code ignored;  // a leftover is deleted by the next writer of the same name
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void AtomicDirectory::commit() {
  const Tree tree = tree_of(temporary_);
  for (const fs::path& file : tree.files) sync_path(file);
  write_file_atomic(temporary_ / kManifest, manifest_of(temporary_, tree.files));
  for (const fs::path& directory : tree.directories) sync_path(directory);
  sync_path(temporary_);
  const bool swap = existing_ == Existing::replace && fs::exists(place_);
  const unsigned flags = swap ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  failpoint("rename.before");
  int status = ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, place_.c_str(), flags);
  // A file system without these flags (some network ones): a plain rename still refuses a place that holds files.
  if (status != 0 && errno == EINVAL && !swap) status = ::rename(temporary_.c_str(), place_.c_str());
  if (status != 0) fail_system("cannot rename a finished directory to", place_, errno);
  committed_ = true;
  failpoint("rename.after");
  sync_path(place_.parent_path());
  std::error_code error;
  failpoint("remove.before");
  if (swap) fs::remove_all(temporary_, error);
  failpoint("remove.after");
  check(error, "cannot delete the replaced", temporary_);
}

std::vector<std::string> verify_directory(const fs::path& directory) {
  try {
    const fs::path file = directory / kManifest;
    const Json manifest = Json::parse(read_file(file), file.string());
    if (manifest.at("format").as_string() != kFormat || manifest.at("version").as_integer() != kVersion) {
      return {fmt::format("{}: format {} version {}, expected {} version {}", kManifest, manifest.at("format").dump(),
                          manifest.at("version").dump(), kFormat, kVersion)};
    }
    std::vector<std::string> problems;
    for (const auto& [name, entry] : manifest.at("files").as_object()) {
      const std::string problem = problem_of(directory / name, name, entry);
      if (!problem.empty()) problems.push_back(problem);
    }
    return problems;
  } catch (const Error& error) {
    return {error.what()};
  }
}

std::vector<std::pair<std::int64_t, fs::path>> numbered_directories(const fs::path& parent, std::string_view prefix) {
  std::vector<std::pair<std::int64_t, fs::path>> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !entry.is_directory()) continue;
    const char* end = name.data() + name.size();
    std::int64_t number = 0;
    const auto parsed = std::from_chars(name.data() + prefix.size(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end && number >= 0) found.emplace_back(number, entry.path());
  }
  if (error && error != std::errc::no_such_file_or_directory) check(error, "cannot list", parent);
  std::sort(found.rbegin(), found.rend());
  return found;
}

}  // namespace hone
