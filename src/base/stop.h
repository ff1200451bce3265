#pragma once

namespace hone {

/// Signals that end a run, as docs/guarantees.md states them:
///
///   SIGINT            save, then exit code 130; a second one stops at once
///   SIGTERM, SIGUSR1  save, then exit code 75 (requeue me), within the grace time: what is not saved by then is given
///                     up, and the last checkpoint stands
///
/// A handler only takes a note. Work that takes long asks throw_if_stopped() where nothing has changed yet that a
/// checkpoint would miss.

/// Catches these signals while it lives, and ignores SIGPIPE: a log that nobody reads must not end a run.
/// One at a time.
class StopSignals {
 public:
  /// Exits with code 75 by itself when `grace_seconds` have passed since the first SIGTERM or SIGUSR1.
  explicit StopSignals(double grace_seconds);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
};

/// The signal that asked to stop; 0 when none did.
int stop_signal();

/// Error{stopped} or Error{preempted} when a signal asked to stop. Any thread but inside a parallel region.
void throw_if_stopped();

}  // namespace hone
