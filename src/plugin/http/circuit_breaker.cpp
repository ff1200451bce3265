#include "plugin/http/circuit_breaker.h"

namespace hone {

namespace {

constexpr std::chrono::milliseconds probe_poll{50};  // how often others look whether the probe has come back

}  // namespace

std::optional<CircuitBreaker::Time> CircuitBreaker::refused_until(Time now) {
  const std::lock_guard lock(mutex_);
  if (!open_) return std::nullopt;
  if (now < probe_at_) return probe_at_;
  if (probing_) return now + probe_poll;
  probing_ = true;
  return std::nullopt;
}

void CircuitBreaker::succeeded() {
  const std::lock_guard lock(mutex_);
  in_a_row_ = 0;
  open_ = probing_ = false;
}

void CircuitBreaker::failed(Time now) {
  const std::lock_guard lock(mutex_);
  ++in_a_row_;
  if (in_a_row_ < failures_) return;
  open_ = true;
  probing_ = false;
  probe_at_ = now + std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(rest_));
}

void CircuitBreaker::undecided() {
  const std::lock_guard lock(mutex_);
  probing_ = false;
}

bool CircuitBreaker::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

}  // namespace hone
