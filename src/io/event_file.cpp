#include "io/event_file.h"

#include "base/error.h"
#include "base/log.h"
#include "io/file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace hone {

namespace {

constexpr std::string_view prefix = "events.out.tfevents.";
constexpr std::size_t most_waiting = std::size_t{64} << 20;  // bytes
constexpr std::int64_t last_second = 9'999'999'999;          // what ten digits hold: names sort as numbers

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  constexpr std::uint32_t polynomial = 0x82F63B78;  // bits reversed
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    table[byte] = crc;
  }
  return table;
}();

/// A CRC of data that itself holds CRCs is weak: TFRecords store it rotated and shifted.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xA282EAD8U;
}

template <class Word>
std::string little_endian(Word word) {
  std::string out;
  for (std::size_t i = 0; i < sizeof(Word); ++i) out += static_cast<char>(word >> (8 * i));
  return out;
}

/// Of the event files that are there already; 0 when there are none.
std::int64_t latest_second(const std::filesystem::path& directory) {
  std::int64_t latest = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    std::int64_t seconds = 0;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), seconds);
    if (seconds < last_second) latest = std::max(latest, seconds);
  }
  return latest;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFF];
  return ~crc;
}

std::string event_record(std::string_view message) {
  const std::string length = little_endian(std::uint64_t{message.size()});
  std::string record = length + little_endian(masked_crc(length));
  record += message;
  return record + little_endian(masked_crc(message));
}

EventFile::EventFile(std::filesystem::path directory, std::int64_t first_step) {
  using std::chrono::system_clock;
  const std::chrono::duration<double> now = system_clock::now().time_since_epoch();
  start_wall_time_ = std::max(now.count(), static_cast<double>(latest_second(directory) + 1));
  path_ = std::move(directory) /
          fmt::format("{}{:010}.{}.{}.0", prefix, static_cast<std::int64_t>(start_wall_time_), host_name(), ::getpid());
  append_record(event_record(version_event(wall_time())));
  append_record(event_record(session_start_event(wall_time(), first_step > 0 ? first_step + 1 : 0)));
}

double EventFile::wall_time() const {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  return start_wall_time_ + passed.count();
}

void EventFile::append(std::int64_t step, const EventSummary& summary) {
  append_record(event_record(summary_event(wall_time(), step, summary)));
}

void EventFile::append_record(std::string record) {
  if (file_) return file_->append(record);
  if (waiting_.size() + record.size() <= most_waiting) waiting_ += record;
  if (open()) {
    file_->append(waiting_);
    waiting_ = {};
  }
}

bool EventFile::open() {
  try {
    make_directories(path_.parent_path());
    file_.emplace(path_);
  } catch (const Error& error) {
    if (!failing_) log_error("{}; the run goes on without TensorBoard's events and tries again", error.what());
    failing_ = true;
    return false;
  }
  if (failing_) log_info("{}: made at last", path_.string());
  failing_ = false;
  return true;
}

void EventFile::sync() {
  if (file_) file_->sync();
}

}  // namespace hone
