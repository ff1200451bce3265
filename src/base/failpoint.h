#pragma once

namespace hone {

/// A place at which a test can kill the process, to show that nothing is lost there.
///
///     HONE_FAILPOINT=rename.before@3 hone run …     SIGKILL at the third time that this place is reached
///
/// Names are `<what>.before` and `<what>.after`; what: write, sync, rename, remove, append (to a
/// telemetry file), step (of a stage, between its work and its checkpoint).
void failpoint(const char* name);

}  // namespace hone
