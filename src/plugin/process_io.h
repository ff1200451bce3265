#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/process.h"

namespace hone {

using Deadline = std::chrono::steady_clock::time_point;
inline Deadline seconds_from_now(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

/// Why a call of a plug-in brought nothing.
struct PluginFailure {
  std::string why;     ///< for people
  std::string reason;  ///< the word to count by, see Score::reason
};

/// Lines to and from a child process. What it prints beside its replies goes to the log under `name`, a bounded number
/// of lines a call. Threads: one at a time.
class ProcessIo {
 public:
  ProcessIo(std::string name, const ProcessSpec& spec, std::int64_t max_line_bytes);

  /// Queues bytes for its stdin; wait() writes them. With `then_close`, stdin is closed behind them. Who closes its stdin
  /// early gets no more, and may still reply.
  void send(std::string bytes, bool then_close = false);

  enum class Event {
    line,       ///< a reply is in line()
    ended,      ///< no more replies will come; ending() says how it ended
    late,       ///< the deadline has passed
    long_line,  ///< a reply is longer than allowed
    stopped,    ///< a signal asked hone to stop (base/stop.h)
  };
  Event wait(Deadline deadline);
  const std::string& line() const { return line_; }

  /// How it ended, with the last lines of its stderr.
  std::string ending();
  /// The last lines of its stderr, introduced by "; its last lines: ", or "".
  std::string last_lines() const;
  /// Lets it end by itself for at most `seconds`, once its stdin is closed.
  void finish(double seconds) { process_.finish(seconds); }

 private:
  struct Stream {
    std::string bytes;
    std::size_t looked_at = 0;  ///< bytes known to hold no end of line
    bool open = true;
  };
  bool take_line(Stream& stream, std::string& line);
  void fill(Stream& stream, int descriptor);
  void log_lines(Stream& stream, bool from_errors);
  void write_some();
  void poll_once(Deadline deadline);

  std::string name_;
  ChildProcess process_;
  std::int64_t max_line_bytes_;
  std::string outgoing_;
  std::size_t written_ = 0;
  bool close_when_written_ = false;
  Stream replies_, output_, errors_;
  std::string line_;
  std::string tail_;
  int lines_logged_ = 0;
  bool ended_ = false;
};

}  // namespace hone
