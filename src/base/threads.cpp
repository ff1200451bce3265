#include "base/threads.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"

namespace hone {

namespace {

constexpr int spins_before_yield = 2000;
constexpr int spins_before_sleep = 4000;  // about 40 µs: longer than the gap between two kernels of one layer

thread_local bool inside_region = false;

struct Region {
  std::int64_t count = 0;
  std::int64_t step = 1;
  detail::RangeBody body = nullptr;
  void* context = nullptr;
};

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// One region at a time is open. A worker that wakes up late finds it closed and goes back to waiting, so the caller
/// waits for ranges that are being computed, never for a thread that has not started: on a busy machine a descheduled
/// worker costs nothing.
class Team {
 public:
  explicit Team(int count) {
    for (int i = 1; i < count; ++i) workers_.emplace_back([this] { work(); });
  }

  ~Team() {
    stop_ = true;
    generation_.fetch_add(1);
    generation_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  void run(const Region& region) {
    const std::lock_guard<std::mutex> one_region_at_a_time(mutex_);
    region_ = region;
    next_.store(0, std::memory_order_relaxed);
    open_ = true;
    generation_.fetch_add(1);  // sequentially consistent: orders the region before the look at sleepers_
    if (sleepers_ > 0) generation_.notify_all();
    take_ranges();
    open_ = false;
    for (int spin = 0; inside_ != 0; ++spin) spin < spins_before_yield ? pause() : std::this_thread::yield();
  }

 private:
  void take_ranges() {
    inside_region = true;
    for (;;) {
      const std::int64_t begin = next_.fetch_add(region_.step, std::memory_order_relaxed);
      if (begin >= region_.count) break;
      region_.body(region_.context, begin, std::min(begin + region_.step, region_.count));
    }
    inside_region = false;
  }

  void work() {
    unsigned seen = 0;
    for (;;) {
      wait_for_change(seen);
      seen = generation_.load(std::memory_order_acquire);
      if (stop_) return;
      ++inside_;  // before the look at open_: the caller closes first and then counts who is inside
      if (open_) take_ranges();
      --inside_;
    }
  }

  void wait_for_change(unsigned seen) {
    for (int spin = 0; spin < spins_before_sleep; ++spin) {
      if (generation_.load(std::memory_order_acquire) != seen) return;
      pause();
    }
    ++sleepers_;
    generation_.wait(seen);
    --sleepers_;
  }

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  Region region_;
  std::atomic<std::int64_t> next_{0};
  std::atomic<int> inside_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<unsigned> generation_{0};
  std::atomic<bool> open_{false};
  std::atomic<bool> stop_{false};
};

std::unique_ptr<Team>& team() {
  static std::unique_ptr<Team> instance = std::make_unique<Team>(1);
  return instance;
}

}  // namespace

void set_threads(int count) {
  HONE_ASSERT(count >= 1);
  team().reset();
  team() = std::make_unique<Team>(count);
}

int threads() { return team()->size(); }

void detail::parallel_ranges(std::int64_t count, std::int64_t grain, RangeBody body, void* context) {
  if (count <= 0) return;
  Team& workers = *team();
  if (inside_region || workers.size() == 1 || count <= grain) {
    body(context, 0, count);
    return;
  }
  // About four ranges a thread balance uneven work without many atomic operations.
  const std::int64_t wanted = std::max<std::int64_t>(1, count / (4 * workers.size()));
  const std::int64_t step = (wanted + grain - 1) / grain * grain;
  workers.run({count, step, body, context});
}

}  // namespace hone
