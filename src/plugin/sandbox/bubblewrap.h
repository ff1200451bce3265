#pragma once

#include <string>

#include "plugin/sandbox/confine.h"
#include "plugin/sandbox/supervisor.h"

namespace hone::sandbox {

/// The path of bwrap, or "".
std::string find_bubblewrap();

/// The first process of a sandbox that bwrap makes: becomes bwrap, which runs `run_in_bubblewrap` inside. Never
/// returns; what fails before that is told on ends.status, and bwrap's own words come on stderr.
[[noreturn]] void be_bubblewrap(const Launch& launch, const Executor::Program& program, const Slot& slot,
                                const Ends& ends);

/// `hone-plugin-host sandbox stub STATUS STREAM PROCESSES SECONDS MEMORY -- COMMAND...`, inside bwrap: puts on the
/// layers that bwrap does not have and runs the command. The numbers of descriptors; STREAM may be -1.
int run_in_bubblewrap(int argc, char** argv);

}  // namespace hone::sandbox
