#pragma once

namespace hone {

/// `hone-plugin-host supervise CONTROL MEMORY COMMAND ARGUMENT...`: runs COMMAND with descriptors 0 to 3 as they are, in a
/// process group of its own, and sees to it that nothing of it is left.
///
/// MEMORY is the most bytes of address space that a process of it may have, 0 for no limit (RLIMIT_AS).
/// CONTROL is the number of a stream socket. On it the supervisor writes one line when the command has ended, and then
/// ends itself: "exit 3", "signal 11", or "start 2 No such file or directory" (an errno). When the other side closes the
/// socket, or dies, the command and everything that it started is killed: descendants that left the group as well, for
/// orphans become the supervisor's children (PR_SET_CHILD_SUBREAPER).
int supervise(int argc, char** argv);

}  // namespace hone
