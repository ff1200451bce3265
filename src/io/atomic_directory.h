#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hone {

/// A directory that appears under its name complete or not at all (checkpoints, saved models).
///
///     AtomicDirectory directory(run / "checkpoints" / "step_100");
///     write_safetensors(directory.path() / "model.safetensors", …);
///     directory.commit();
///
/// Until the commit the files lie in `.tmp-<name>` beside the final place; a leftover of that name is deleted first,
/// so one process at a time may write a given name. Error{io} or Error{permission} as in io/file.h.
class AtomicDirectory {
 public:
  enum class Existing { refuse, replace };

  explicit AtomicDirectory(std::filesystem::path place, Existing existing = Existing::refuse);
  /// Without a commit the temporary directory is deleted.
  ~AtomicDirectory();
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  /// Where to write the files; subdirectories are welcome.
  const std::filesystem::path& path() const { return temporary_; }
  /// Flushes every file, writes `manifest.json` (format version, then size and XXH3-64 of each file), renames.
  /// An existing directory is swapped with the new one in one step and then deleted.
  void commit();

 private:
  std::filesystem::path place_;
  std::filesystem::path temporary_;
  Existing existing_;
  bool committed_ = false;
};

/// What is wrong with a directory that was written as above: no manifest, files missing, cut short, changed, or of
/// an unknown format version. Empty: it is whole. Files that the manifest does not list are ignored.
std::vector<std::string> verify_directory(const std::filesystem::path& directory);

/// The directories `<prefix><number>` in `parent`, greatest number first. A missing parent has none.
std::vector<std::pair<std::int64_t, std::filesystem::path>> numbered_directories(const std::filesystem::path& parent,
                                                                                 std::string_view prefix);

}  // namespace hone
