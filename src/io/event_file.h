#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "io/event_message.h"
#include "io/telemetry_file.h"

namespace hone {

/// CRC-32C (Castagnoli), RFC 3720 section 12.1.
std::uint32_t crc32c(std::string_view bytes);

/// A TFRecord: length, its masked CRC, the message, its masked CRC.
std::string event_record(std::string_view message);

/// A new file of events in a directory that TensorBoard takes for one run:
/// events.out.tfevents.<seconds since 1970>.<host>.<process>.0
///
/// It never stops a run: while it cannot be made, its events are kept (up to 64 MiB) and the next one tries again; the
/// log says so once.
///
/// TensorBoard reads the files of a directory by name. So that the newest comes last, also when the clock was set back,
/// its seconds are greater than those of all that are there. Wall times go on from them evenly, whatever the clock
/// does.
class EventFile {
 public:
  /// first_step: steps up to this one stay valid in earlier files of the directory; readers drop what is later there,
  /// and everything when it is 0.
  EventFile(std::filesystem::path directory, std::int64_t first_step);

  void append(std::int64_t step, const EventSummary& summary);
  void sync();
  const std::filesystem::path& path() const { return path_; }

 private:
  void append_record(std::string record);
  bool open();
  double wall_time() const;

  std::filesystem::path path_;
  double start_wall_time_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::optional<TelemetryFile> file_;
  std::string waiting_;  ///< until there is a file
  bool failing_ = false;
};

}  // namespace hone
