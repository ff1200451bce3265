#include "base/log.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "base/format.h"

namespace hone {

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

struct Log {
  std::mutex mutex;
  LogLevel minimum = LogLevel::info;
  std::unique_ptr<std::FILE, CloseFile> file;
  std::function<void(std::string_view)> printer;
};

Log& log() {
  static Log instance;
  return instance;
}

std::string_view prefix(LogLevel level) {
  switch (level) {
    case LogLevel::info: return "";
    case LogLevel::warn: return "warning: ";
    case LogLevel::error: return "error: ";
  }
  return "";
}

/// A log that cannot be written (closed pipe, full disk) is no reason to stop.
void write_quietly(std::FILE* file, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

}  // namespace

void set_log_level(LogLevel minimum) {
  const std::lock_guard<std::mutex> lock(log().mutex);
  log().minimum = minimum;
}

void set_log_file(const std::string& path) {
  const std::lock_guard<std::mutex> lock(log().mutex);
  log().file.reset();
  if (path.empty()) return;
  log().file.reset(std::fopen(path.c_str(), "ae"));
  if (log().file == nullptr) {
    fail(ErrorKind::io, "{}: cannot open the log file: {}", path, std::strerror(errno));
  }
}

void set_log_printer(std::function<void(std::string_view line)> printer) {
  const std::lock_guard<std::mutex> lock(log().mutex);
  log().printer = std::move(printer);
}

void log_message(LogLevel level, std::string_view message) {
  const std::lock_guard<std::mutex> lock(log().mutex);
  if (level < log().minimum) return;
  const std::string line = fmt::format("{}{}", prefix(level), message);
  if (log().printer) {
    log().printer(line);
  } else {
    write_quietly(stderr, line + "\n");
  }
  if (log().file != nullptr) write_quietly(log().file.get(), fmt::format("{} {}\n", utc_time(), line));
}

}  // namespace hone
