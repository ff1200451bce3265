#pragma once

#include <sys/types.h>

#include <cstdint>

namespace hone::sandbox {

/// Bytes of memory of their own that the descendants of `root` hold together, pages that forks still share counted once
/// a process; 0 where the kernel does not list children (CONFIG_PROC_CHILDREN).
std::int64_t memory_of_descendants(pid_t root);

}  // namespace hone::sandbox
