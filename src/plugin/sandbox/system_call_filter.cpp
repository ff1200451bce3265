#include "plugin/sandbox/system_call_filter.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string_view>

#include "io/file.h"
#include "plugin/sandbox/system_error.h"

namespace hone::sandbox {

namespace {

constexpr const char* allowed[] = {
    // files
    "read",
    "write",
    "open",
    "openat",
    "openat2",
    "creat",
    "close",
    "close_range",
    "stat",
    "fstat",
    "lstat",
    "newfstatat",
    "statx",
    "statfs",
    "fstatfs",
    "lseek",
    "pread64",
    "pwrite64",
    "readv",
    "writev",
    "preadv",
    "pwritev",
    "preadv2",
    "pwritev2",
    "access",
    "faccessat",
    "faccessat2",
    "sendfile",
    "copy_file_range",
    "splice",
    "tee",
    "fcntl",
    "flock",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "truncate",
    "ftruncate",
    "fallocate",
    "fadvise64",
    "readahead",
    "getdents",
    "getdents64",
    "getcwd",
    "chdir",
    "fchdir",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "rmdir",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "symlink",
    "symlinkat",
    "readlink",
    "readlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "umask",
    "utime",
    "utimes",
    "utimensat",
    "futimesat",
    "mknod",
    "mknodat",
    "getxattr",
    "lgetxattr",
    "fgetxattr",
    "listxattr",
    "llistxattr",
    "flistxattr",
    "dup",
    "dup2",
    "dup3",
    "pipe",
    "pipe2",
    // memory
    "mmap",
    "mprotect",
    "munmap",
    "mremap",
    "msync",
    "mincore",
    "madvise",
    "brk",
    "mlock",
    "mlock2",
    "munlock",
    "membarrier",
    // waiting and events
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "eventfd",
    "eventfd2",
    "signalfd",
    "signalfd4",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_gettime",
    "pause",
    "nanosleep",
    "clock_nanosleep",
    "futex",
    "set_robust_list",
    "get_robust_list",
    "rseq",
    "restart_syscall",
    "inotify_init1",
    "inotify_add_watch",
    "inotify_rm_watch",
    // messages between its own processes
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "sendmmsg",
    "recvmmsg",
    "shutdown",
    "getsockname",
    "getpeername",
    "setsockopt",
    "getsockopt",
    // time
    "getitimer",
    "setitimer",
    "alarm",
    "gettimeofday",
    "time",
    "times",
    "clock_gettime",
    "clock_getres",
    "timer_create",
    "timer_settime",
    "timer_gettime",
    "timer_getoverrun",
    "timer_delete",
    // processes, threads, signals
    "fork",
    "vfork",
    "execve",
    "exit",
    "exit_group",
    "wait4",
    "waitid",
    "kill",
    "tkill",
    "tgkill",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "rt_sigsuspend",
    "sigaltstack",
    "sched_yield",
    "sched_getaffinity",
    "sched_setaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "getpriority",
    "setpriority",
    "getcpu",
    "prctl",
    "arch_prctl",
    "set_tid_address",
    "getrlimit",
    "setrlimit",
    "prlimit64",
    "getrusage",
    "personality",
    // who am I
    "getpid",
    "getppid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getgroups",
    "getresuid",
    "getresgid",
    "getpgid",
    "getpgrp",
    "setpgid",
    "getsid",
    "setsid",
    "uname",
    "sysinfo",
    "getrandom",
    "capget",
};

constexpr unsigned long harmless_ioctls[] = {TCGETS, TIOCGWINSZ, TIOCGPGRP, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};

constexpr scmp_datum_t new_namespaces = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID |
                                        CLONE_NEWUSER | CLONE_NEWUTS | 0x80 /* CLONE_NEWTIME */;

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

void require(int result) {
  if (result == 0) return;
  fail(ErrorKind::service, "libseccomp cannot build the filter of system calls: {}", std::strerror(-result));
}

void add(void* filter, std::uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> conditions = {}) {
  const int number = ::seccomp_syscall_resolve_name(name);
  if (number < 0) return;  // this architecture has no such call
  require(
      ::seccomp_rule_add_array(filter, action, number, static_cast<unsigned>(conditions.size()), conditions.begin()));
}

Filter rules() {
  Filter filter(::seccomp_init(SCMP_ACT_ERRNO(ENOSYS)));
  if (filter == nullptr) fail(ErrorKind::service, "libseccomp cannot make a filter of system calls");
  require(::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
  require(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  for (const char* name : allowed) add(filter.get(), SCMP_ACT_ALLOW, name);
  for (const unsigned long request : harmless_ioctls) {
    add(filter.get(), SCMP_ACT_ALLOW, "ioctl", {SCMP_A1(SCMP_CMP_EQ, request)});
  }
  add(filter.get(), SCMP_ACT_ALLOW, "clone", {SCMP_A0(SCMP_CMP_MASKED_EQ, new_namespaces, 0)});
  add(filter.get(), SCMP_ACT_ALLOW, "socketpair", {SCMP_A0(SCMP_CMP_EQ, AF_UNIX)});
  add(filter.get(), SCMP_ACT_ERRNO(EACCES), "socket");
  for (const char* name : {"ptrace", "process_vm_readv", "process_vm_writev", "unshare", "setns", "mount", "chown",
                           "fchown", "lchown", "fchownat", "setuid", "setgid", "setresuid", "setresgid"}) {
    add(filter.get(), SCMP_ACT_ERRNO(EPERM), name);
  }
  return filter;
}

}  // namespace

std::vector<sock_filter> system_call_filter() {
  const Filter filter = rules();
  const FileDescriptor file(::memfd_create("filter", MFD_CLOEXEC));
  checked(file.get(), "make a file in memory");
  require(::seccomp_export_bpf(filter.get(), file.get()));
  const off_t bytes = ::lseek(file.get(), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
  if (::pread(file.get(), program.data(), static_cast<std::size_t>(bytes), 0) != bytes) fail_errno("read the filter");
  return program;
}

void install(const std::vector<sock_filter>& filter) {
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                           .filter = const_cast<sock_filter*>(filter.data())};
  checked(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "install the filter of system calls");
}

}  // namespace hone::sandbox
