#pragma once

#include <chrono>

namespace hone {

/// Seconds since it was made, plus what was spent before.
class Stopwatch {
 public:
  double seconds() const {
    return before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  /// Starts anew with so many seconds on it.
  void restart(double before = 0) {
    before_ = before;
    start_ = std::chrono::steady_clock::now();
  }

 private:
  double before_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace hone
