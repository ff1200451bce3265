#include "base/stop.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace hone {

namespace {

std::atomic<int> first_signal = 0;
std::atomic<unsigned> grace = 0;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<unsigned>::is_always_lock_free);

constexpr int caught[] = {SIGINT, SIGTERM, SIGUSR1, SIGALRM};
struct sigaction before[std::size(caught)], pipe_before;

// Only what is async-signal-safe may be called from here.
void say(const char* text) { [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, std::strlen(text)); }

void on_signal(int signal) {
  const int saved_errno = errno;
  if (signal == SIGALRM) {
    say("hone: the grace time is over before the step was; the last checkpoint stands, resume goes on from there\n");
    ::_exit(static_cast<int>(ErrorKind::preempted));
  }
  int none = 0;
  const bool first = first_signal.compare_exchange_strong(none, signal);
  if (!first && signal == SIGINT) ::_exit(static_cast<int>(ErrorKind::stopped));
  if (first && signal == SIGINT) say("\nhone: stopping after this step and saving; press Ctrl-C again to stop at once\n");
  if (signal != SIGINT && first) ::alarm(grace);
  errno = saved_errno;
}

}  // namespace

StopSignals::StopSignals(double grace_seconds) {
  first_signal = 0;
  grace = static_cast<unsigned>(std::max(1.0, std::ceil(grace_seconds)));
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < std::size(caught); ++i) ::sigaction(caught[i], &action, &before[i]);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, &pipe_before);
}

StopSignals::~StopSignals() {
  ::alarm(0);
  for (std::size_t i = 0; i < std::size(caught); ++i) ::sigaction(caught[i], &before[i], nullptr);
  ::sigaction(SIGPIPE, &pipe_before, nullptr);
  first_signal = 0;
}

int stop_signal() { return first_signal.load(std::memory_order_relaxed); }

void throw_if_stopped() {
  const int signal = stop_signal();
  if (signal == 0) return;
  fail(signal == SIGINT ? ErrorKind::stopped : ErrorKind::preempted, "stopped by {}",
       signal == SIGINT ? "SIGINT" : (signal == SIGTERM ? "SIGTERM" : "SIGUSR1"));
}

}  // namespace hone
