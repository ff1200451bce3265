#include "report/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace hone {

namespace {

constexpr std::string_view erase_line = "\r\x1b[K";

void write_standard_error(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody reads: the run goes on
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

ConsoleOptions ConsoleOptions::standard_error() {
  const char* kind = std::getenv("TERM");
  const bool dumb = kind == nullptr || std::string_view(kind) == "dumb";
  ConsoleOptions options{.write = write_standard_error, .now = steady_seconds};
  options.terminal = ::isatty(STDERR_FILENO) == 1 && !dumb;
  options.colour = options.terminal && !is_set("NO_COLOR");
  options.least_interval = options.terminal ? 0.1 : 5.0;
  winsize size{};
  if (options.terminal && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    options.width = size.ws_col;
  } else if (!options.terminal) {
    options.width = 160;
  }
  return options;
}

bool Console::due_locked() const { return options_.now() - last_shown_ >= options_.least_interval; }

bool Console::due() const {
  const std::lock_guard lock(mutex_);
  return due_locked();
}

void Console::live(std::string_view line, bool now) {
  const std::lock_guard lock(mutex_);
  if (!now && !due_locked()) return;
  last_shown_ = options_.now();
  if (options_.terminal) {
    live_ = line;
    options_.write(std::string(erase_line) + live_);
  } else {
    options_.write(std::string(line) + "\n");
  }
}

void Console::print(std::string_view text) {
  const std::lock_guard lock(mutex_);
  std::string bytes = live_.empty() ? "" : std::string(erase_line);
  bytes += text;
  if (text.empty() || text.back() != '\n') bytes += '\n';
  options_.write(bytes + live_);
}

void Console::finish() {
  const std::lock_guard lock(mutex_);
  if (live_.empty()) return;
  live_.clear();
  options_.write("\n");
}

}  // namespace hone
