#include "base/log.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

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
  bool holds = false;
  std::vector<std::string> held;
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

/// Under the mutex.
void write_line(const std::string& line) {
  if (log().printer) {
    log().printer(line);
  } else {
    write_quietly(stderr, line + "\n");
  }
  if (log().file != nullptr) write_quietly(log().file.get(), fmt::format("{} {}\n", utc_time(), line));
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
  std::string line = fmt::format("{}{}", prefix(level), message);
  if (log().holds) {
    if (std::ranges::find(log().held, line) == log().held.end()) log().held.push_back(std::move(line));
  } else {
    write_line(line);
  }
}

LogHold::LogHold() {
  const std::lock_guard<std::mutex> lock(log().mutex);
  HONE_ASSERT(!log().holds);
  log().holds = true;
}

LogHold::~LogHold() {
  const std::lock_guard<std::mutex> lock(log().mutex);
  log().holds = false;
  for (const std::string& line : std::exchange(log().held, {})) write_line(line);
}

void LogHold::drop() {
  const std::lock_guard<std::mutex> lock(log().mutex);
  log().held.clear();
}

}  // namespace hone
