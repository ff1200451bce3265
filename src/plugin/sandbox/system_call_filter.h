#pragma once

#include <linux/filter.h>

#include <vector>

namespace hone::sandbox {

/// The seccomp program of every sandbox: a list of what may be called; all else, calls that later kernels add included,
/// answers ENOSYS, and foreign architectures kill. Not on the list: sockets (but for socketpair), ptrace and reading of
/// other processes' memory, namespaces and mounts, kernel keys, bpf, io_uring, perf, memfd_create, changes of user id.
/// Error{service} when libseccomp cannot build it.
std::vector<sock_filter> system_call_filter();

/// Puts it on this thread for good; no_new_privs must be set. Error{service} when the kernel refuses.
void install(const std::vector<sock_filter>& filter);

}  // namespace hone::sandbox
