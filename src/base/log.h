#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace hone {

enum class LogLevel { info, warn, error };

/// Messages below this level go nowhere. Default: info.
void set_log_level(LogLevel minimum);

/// Also appends every message, with its time in UTC, to this file ("" closes it). Error{io} when it cannot be opened.
void set_log_file(const std::string& path);

/// Replaces how a finished line (no newline at its end) reaches the terminal, so that a live progress line can be moved
/// out of its way. An empty function restores plain stderr. Called by one thread at a time.
void set_log_printer(std::function<void(std::string_view line)> printer);

/// Writes one message. Any thread; the message may have several lines.
void log_message(LogLevel level, std::string_view message);

/// Messages written while the object lives reach terminal and file only when it ends, each once, or not at all. There is
/// one such object at a time.
class LogHold {
 public:
  LogHold();
  ~LogHold();
  LogHold(const LogHold&) = delete;
  LogHold& operator=(const LogHold&) = delete;
  /// Forgets what was held so far.
  void drop();
};

template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace hone
