#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "io/file.h"

namespace hone {

/// A file that tells about a run and must never stop it: metrics, samples, events. It grows record by record; each is
/// handed to the system in one write, so a reader never sees half of one and a killed process loses none.
///
/// A write that fails (disk full) is told once in the log; the records are kept in memory and tried again with the next
/// one. A file that was deleted or moved away is made anew with all that it held.
class TelemetryFile {
 public:
  /// Opens the file or creates it. `keep`: cuts it back to so many bytes, and warns when it has fewer; nullopt keeps all.
  /// Error{io} or Error{permission} when it cannot be opened: that is known before the run has cost anything.
  explicit TelemetryFile(std::filesystem::path path, std::optional<std::int64_t> keep = std::nullopt);

  void append(std::string_view record);
  /// Flushes to the disk. Returns the bytes that are there.
  std::int64_t sync();
  std::int64_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  void bring_back();
  bool write_pending();
  void report_failure(int error);

  std::filesystem::path path_;
  FileDescriptor file_;
  std::int64_t size_ = 0;
  std::string pending_;  ///< not on the disk yet
  bool failing_ = false;
};

}  // namespace hone
