#include "base/threads.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

namespace {

struct OneThreadAfterwards {
  ~OneThreadAfterwards() { hone::set_threads(1); }
};

std::vector<int> visits(std::int64_t count, std::int64_t grain) {
  std::vector<int> seen(static_cast<std::size_t>(count), 0);
  hone::parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
  });
  return seen;
}

}  // namespace

TEST_CASE("base/threads: every index is visited once, whatever the threads, count and grain") {
  const OneThreadAfterwards restore;
  for (const int threads : {1, 2, 3}) {
    hone::set_threads(threads);
    CHECK(hone::threads() == threads);
    for (const std::int64_t count : {0, 1, 7, 64, 1000, 4099}) {
      for (const std::int64_t grain : {1, 8, 64}) {
        const auto seen = visits(count, grain);
        CHECK(seen == std::vector<int>(static_cast<std::size_t>(count), 1));
      }
    }
  }
}

TEST_CASE("base/threads: ranges begin at multiples of the grain") {
  const OneThreadAfterwards restore;
  hone::set_threads(2);
  std::atomic<int> wrong{0};
  hone::parallel_for(1001, 16, [&](std::int64_t begin, std::int64_t end) {
    if (begin % 16 != 0 || (end % 16 != 0 && end != 1001)) ++wrong;
  });
  CHECK(wrong == 0);
}

TEST_CASE("base/threads: a region inside a region runs inline on its own thread") {
  const OneThreadAfterwards restore;
  hone::set_threads(2);
  std::atomic<int> elsewhere{0};
  std::atomic<int> total{0};
  hone::parallel_for(64, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto outer = std::this_thread::get_id();
      hone::parallel_for(10, 1, [&](std::int64_t inner_begin, std::int64_t inner_end) {
        if (std::this_thread::get_id() != outer) ++elsewhere;
        total += static_cast<int>(inner_end - inner_begin);
      });
    }
  });
  CHECK(elsewhere == 0);
  CHECK(total == 640);
}

TEST_CASE("base/threads: results do not depend on the number of threads") {
  const OneThreadAfterwards restore;
  const auto compute = [] {
    std::vector<double> values(10000);
    hone::parallel_for(10000, 32, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        values[static_cast<std::size_t>(i)] = std::sin(static_cast<double>(i)) / (1.0 + static_cast<double>(i));
      }
    });
    return values;
  };
  hone::set_threads(1);
  const auto one = compute();
  hone::set_threads(2);
  for (int repeat = 0; repeat < 50; ++repeat) REQUIRE(compute() == one);
}

TEST_CASE("base/threads: many short regions after idle pauses lose no work") {
  const OneThreadAfterwards restore;
  hone::set_threads(2);
  std::atomic<std::int64_t> sum{0};
  for (int region = 0; region < 2000; ++region) {
    if (region % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    hone::parallel_for(16, 1, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
  }
  CHECK(sum == 2000 * 16);
}
