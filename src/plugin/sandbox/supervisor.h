#pragma once

#include <memory>

#include "plugin/sandbox/confine.h"
#include "plugin/sandbox/pids_group.h"

namespace hone::sandbox {

/// What all sandboxes of a launcher share.
struct Launch {
  Settings settings;
  Layers layers;
  std::vector<std::string> readable;
  std::vector<sock_filter> filter;
  std::unique_ptr<PidsGroup> group;
};

/// Runs one program in a sandbox of its own and waits until nothing of it is left. It ends early, as killed, when
/// `connection` (-1: none) is closed or says anything. `stream` (-1: none) becomes the program's descriptor 3.
/// What cannot be isolated is Outcome::refused with the step that failed.
/// For a process of one thread.
Executor::Outcome supervise(const Launch& launch, const Executor::Program& program, const Slot& slot, int connection,
                            int stream);

}  // namespace hone::sandbox
