#pragma once

namespace hone {

/// `hone-plugin-host serve LIBRARY`: runs a shared library behind the protocol of child processes (docs/plugins.md), as
/// a reward or as an environment, whichever the hello asks for. Requests come on stdin; replies go to the descriptor
/// HONE_REPLY_FD, or to stdout with HONE_REPLY=stdout. What the library itself prints never mixes with them.
/// Returns the process's exit code: 0 when stdin has ended.
int serve_library(int argc, char** argv);

}  // namespace hone
