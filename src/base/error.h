#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace hone {

/// What went wrong, as the number the process exits with (sysexits where one fits).
enum class ErrorKind {
  usage = 2,       ///< the command line is wrong
  data = 65,       ///< a data file, tokenizer or checkpoint holds something unusable
  service = 69,    ///< a reward or another service failed too often
  internal = 70,   ///< hone itself is wrong
  io = 74,         ///< reading, writing or locking a file failed
  preempted = 75,  ///< stopped by the scheduler after saving: requeue
  permission = 77,
  config = 78,     ///< the YAML file or an override is wrong
  stopped = 130,   ///< stopped by the user after saving
};

/// The one exception type. `what()` says what happened, where, what was expected, what was found and what to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace hone

/// A programmer error: prints and aborts. Kept in release builds; never used for what a user can cause.
#define HONE_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::hone::assertion_failed(#condition, __FILE__, __LINE__))
