#pragma once

#include <cstdint>

/// Memory of this machine and of this process, in bytes.
namespace hone {

/// What programs may still take: of the machine, or of the control group that they run in where it leaves less. -1 when
/// the system does not say.
std::int64_t available_memory();

/// What this process holds, without files that it maps; -1 when the system does not say.
std::int64_t held_memory();

}  // namespace hone
