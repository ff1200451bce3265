#pragma once

#include <cstdint>
#include <string>

#include "base/memory.h"

/// What the operating system says about this machine.
namespace hone {

std::string cpu_model();            ///< "" when it does not say
std::int64_t free_disk(const char* path);  ///< bytes that this user may write; -1 when it does not say
std::string host_name();
std::string operating_system();     ///< "Debian GNU/Linux 12 (bookworm), Linux 6.1.0"

/// The commit that this program was built from, with "-dirty" when files had changed; "unknown" outside of git.
const char* build_commit();

}  // namespace hone
