#include "base/stop.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "support/error_of.h"

#include <doctest/doctest.h>

namespace hone {

namespace {

/// Exit code of a process of its own that does this.
int exit_code_of(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_CASE("base: a stop signal is a note that work asks for") {
  const StopSignals signals(60);
  CHECK(stop_signal() == 0);
  CHECK_NOTHROW(throw_if_stopped());
  ::raise(SIGUSR1);
  CHECK(stop_signal() == SIGUSR1);
  HONE_CHECK_ERROR(preempted, throw_if_stopped(), "stopped by SIGUSR1");
  ::raise(SIGTERM);
  HONE_CHECK_ERROR(preempted, throw_if_stopped(), "stopped by SIGUSR1");
}

TEST_CASE("base: the kind of a stop says whether a scheduler or a person asked") {
  for (const auto& [signal, kind, name] : {std::tuple{SIGINT, ErrorKind::stopped, "stopped by SIGINT"},
                                           std::tuple{SIGTERM, ErrorKind::preempted, "stopped by SIGTERM"}}) {
    const StopSignals signals(60);
    const int stderr_before = ::dup(STDERR_FILENO);
    ::close(STDERR_FILENO);
    ::raise(signal);
    ::dup2(stderr_before, STDERR_FILENO);
    ::close(stderr_before);
    try {
      throw_if_stopped();
      FAIL("expected an error");
    } catch (const Error& error) {
      CHECK(error.kind() == kind);
      CHECK(std::string(error.what()) == name);
    }
  }
  CHECK(stop_signal() == 0);  // the handlers are gone, and so is the note
}

TEST_CASE("base: a second Ctrl-C and a grace time that is over end the process at once") {
  CHECK(exit_code_of([] {
          const StopSignals signals(60);
          ::raise(SIGINT);
          ::raise(SIGINT);
        }) == 130);
  CHECK(exit_code_of([] {
          const StopSignals signals(0.1);
          ::raise(SIGTERM);
          for (int i = 0; i < 100; ++i) ::usleep(100'000);
        }) == 75);
  CHECK(exit_code_of([] {
          const StopSignals signals(60);
          ::raise(SIGTERM);
          ::raise(SIGTERM);
        }) == 0);
}

TEST_CASE("base: a pipe that nobody reads ends nothing while stops are caught") {
  CHECK(exit_code_of([] {
          const StopSignals signals(60);
          int ends[2];
          if (::pipe(ends) != 0) ::_exit(1);
          ::close(ends[0]);
          if (::write(ends[1], "x", 1) == 1) ::_exit(1);
        }) == 0);
}

}  // namespace hone
