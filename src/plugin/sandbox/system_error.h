#pragma once

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace hone::sandbox {

/// Error{service}: "cannot <action>: <the system's words for errno>".
[[noreturn]] inline void fail_errno(std::string_view action) {
  const int error = errno;
  fail(ErrorKind::service, "cannot {}: {}", action, std::strerror(error));
}

/// A system call that must not fail.
inline long checked(long result, std::string_view action) {
  if (result < 0) fail_errno(action);
  return result;
}

}  // namespace hone::sandbox
