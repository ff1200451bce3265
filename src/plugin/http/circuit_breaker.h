#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace hone {

/// Spares a service that does not answer. After `failures` in a row it opens: nothing is sent for `rest` seconds. Then
/// one request goes through as a probe; its success closes the breaker, its failure opens it again.
///
/// Call order: (refused_until (succeeded | failed | undecided)?)* , the second only after an admission. Any thread.
class CircuitBreaker {
 public:
  using Time = std::chrono::steady_clock::time_point;

  CircuitBreaker(std::int64_t failures, double rest) : failures_(failures), rest_(rest) {}

  /// Nothing: go ahead, and report how it went. Otherwise ask again at the time given.
  std::optional<Time> refused_until(Time now);
  void succeeded();
  void failed(Time now);
  /// The request said nothing about the service (it was never sent, say).
  void undecided();
  bool open() const;

 private:
  std::int64_t failures_;
  double rest_;
  mutable std::mutex mutex_;
  std::int64_t in_a_row_ = 0;
  bool open_ = false;
  bool probing_ = false;
  Time probe_at_;
};

}  // namespace hone
