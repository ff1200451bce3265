#pragma once

#include <cstdint>
#include <type_traits>

namespace hone {

/// The process-wide team of worker threads that every kernel uses; LibTorch's own team stays at one thread, so two
/// teams never compete for the cores. Workers spin briefly between parallel regions, then sleep.
///
/// `set_threads` is called once at start (and by tests); not concurrently with parallel work.
void set_threads(int count);
int threads();

namespace detail {
using RangeBody = void (*)(void* context, std::int64_t begin, std::int64_t end);
void parallel_ranges(std::int64_t count, std::int64_t grain, RangeBody body, void* context);
}  // namespace detail

/// Calls body(begin, end) on disjoint ranges that cover [0, count). Ranges are multiples of `grain` (but for the last)
/// and are handed out dynamically; the caller works too, and returns when all are done. With one thread, one range or
/// from inside a parallel region it runs inline. `body` must not throw. What a range computes must not depend on how
/// the ranges are cut, so results do not depend on the number of threads.
template <class Body>
void parallel_for(std::int64_t count, std::int64_t grain, const Body& body) {
  detail::parallel_ranges(
      count, grain,
      [](void* context, std::int64_t begin, std::int64_t end) { (*static_cast<const Body*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace hone
