#pragma once

#include <string>
#include <vector>

namespace hone::sandbox {

/// The version of Landlock that the kernel offers; 0: none.
int landlock_version();

/// From here on this thread and what it starts can read and execute below `readable`, do anything below `writable`,
/// write the devices null, zero and full, and nothing else; from version 4 no TCP, from 6 no signals and no abstract
/// sockets to processes outside. no_new_privs must be set. Error{service} when the kernel refuses.
void restrict_to(const std::vector<std::string>& readable, const std::vector<std::string>& writable, int version);

}  // namespace hone::sandbox
