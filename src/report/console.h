#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace hone {

/// Where messages for people go.
struct ConsoleOptions {
  std::function<void(std::string_view bytes)> write;
  std::function<double()> now;  ///< seconds of a clock that never goes back
  bool terminal = false;        ///< a line can be rewritten in place
  bool colour = false;
  std::size_t width = 100;    ///< columns
  double least_interval = 5;  ///< seconds between two live lines

  /// Standard error: rewritten ten times a second on a terminal, a line every five seconds elsewhere. Colour only on a
  /// terminal that can show it, and not when NO_COLOR is set (no-color.org).
  static ConsoleOptions standard_error();
};

/// One live line that is rewritten in place, and finished text above it. Elsewhere than on a terminal the live line is
/// printed now and then. Any thread.
class Console {
 public:
  explicit Console(ConsoleOptions options) : options_(std::move(options)) {}
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  /// Ends the live line.
  ~Console() { finish(); }

  const ConsoleOptions& options() const { return options_; }
  /// Whether a live line would be shown now, so that nobody renders one in vain.
  bool due() const;
  /// Shows the line when it is due; `now` shows it in any case.
  void live(std::string_view line, bool now = false);
  /// Whole lines that stay. A line end is added when it is missing.
  void print(std::string_view text);
  /// Lets the live line stay where it is; the next one begins below.
  void finish();

 private:
  bool due_locked() const;

  ConsoleOptions options_;
  mutable std::mutex mutex_;
  std::string live_;  ///< what a terminal shows in its last line
  double last_shown_ = -1e300;
};

}  // namespace hone
