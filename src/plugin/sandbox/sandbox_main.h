#pragma once

namespace hone {

/// `hone-plugin-host sandbox ...`:
///
///     serve OPTIONS                 the launcher that src/plugin/sandbox/sandbox.h talks to on descriptor 3
///     check OPTIONS                 prints the layers that are active here, or what is missing (exit 69)
///     run OPTIONS -- COMMAND...     one program; prints its outcome as a line of JSON
///     stub ...                      what bwrap runs inside
///
/// OPTIONS: --isolation namespaces|bubblewrap|landlock, --readable PATH, --allow-weaker PROPERTY (each may be
/// repeated),
/// --processes N; for run also --seconds S, --memory BYTES, --output BYTES, --file NAME=PATH, and --stdin.
/// Arguments are those after "sandbox".
int sandbox_main(int argc, char** argv);

}  // namespace hone
