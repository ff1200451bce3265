#include <doctest/doctest.h>

#include "plugin/http/circuit_breaker.h"
#include "plugin/http/retry.h"

namespace hone {

TEST_CASE("http: waits double up to the longest, a random half taken off, the same for the same seed") {
  const Backoff backoff{.first = 0.25, .longest = 8};
  for (std::int64_t attempt = 0; attempt < 100; ++attempt) {
    const double whole = attempt < 5 ? 0.25 * static_cast<double>(1 << attempt) : 8;
    double least = 1e9, most = 0;
    for (std::uint64_t call = 0; call < 200; ++call) {
      Random a(1, call, static_cast<std::uint32_t>(attempt)), b(1, call, static_cast<std::uint32_t>(attempt));
      const double wait = backoff.wait(attempt, a);
      CHECK(wait == backoff.wait(attempt, b));
      least = std::min(least, wait);
      most = std::max(most, wait);
    }
    CHECK(least >= 0.5 * whole);
    CHECK(most <= whole);
    CHECK(most - least > 0.4 * whole);
  }
}

TEST_CASE("http: Retry-After in seconds and as a date") {
  CHECK(retry_after_seconds("0", 0) == 0);
  CHECK(retry_after_seconds(" 120 ", 0) == 120);
  CHECK(retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT", 1445412480 - 30) == 30);
  CHECK(retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT", 1445412480 + 30) == 0);
  CHECK(retry_after_seconds("99999999999999999999999999", 0) > 1e9);
  for (const char* bad : {"", "soon", "-5", "1.5", "Wed, 21 Oct", "12 apples"}) {
    CHECK_MESSAGE(!retry_after_seconds(bad, 0).has_value(), bad);
  }
}

TEST_CASE("http: the breaker opens after failures in a row, and one probe closes or opens it again") {
  CircuitBreaker breaker(3, 5);
  const auto start = CircuitBreaker::Time();
  const auto at = [&](double seconds) {
    return start + std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  };
  const auto fail_at = [&](double seconds) {
    CHECK_FALSE(breaker.refused_until(at(seconds)).has_value());
    breaker.failed(at(seconds));
  };
  fail_at(0);
  fail_at(1);
  breaker.succeeded();
  fail_at(2);
  fail_at(3);
  CHECK_FALSE(breaker.open());
  fail_at(4);
  CHECK(breaker.open());
  CHECK(breaker.refused_until(at(8.9)) == at(9));

  fail_at(9.5);  // the probe
  CHECK(breaker.refused_until(at(14)) == at(14.5));
  CHECK_FALSE(breaker.refused_until(at(15)).has_value());
  CHECK(breaker.refused_until(at(15)) > at(15));  // a second one waits for the first
  breaker.undecided();
  CHECK_FALSE(breaker.refused_until(at(15)).has_value());
  breaker.succeeded();
  CHECK_FALSE(breaker.open());
  fail_at(16);
  fail_at(17);
  CHECK_FALSE(breaker.open());
}

}  // namespace hone
