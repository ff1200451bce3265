#include "plugin/sandbox/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>

#include "io/file.h"
#include "plugin/sandbox/file_view.h"
#include "plugin/sandbox/landlock.h"
#include "plugin/sandbox/probe_inside.h"
#include "plugin/sandbox/system_call_filter.h"
#include "plugin/sandbox/system_error.h"

namespace hone::sandbox {

namespace {

void tell(int status, char what, std::string_view rest) {
  std::string message(1, what);
  message += rest;
  [[maybe_unused]] const ssize_t count = ::write(status, message.data(), message.size());
}

void set_limit(__rlimit_resource resource, std::int64_t most) {
  const rlimit limit{.rlim_cur = static_cast<rlim_t>(most), .rlim_max = static_cast<rlim_t>(most)};
  checked(::setrlimit(resource, &limit), "set a resource limit");
}

void drop_capabilities() {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability) != 0 && errno != EPERM) fail_errno("drop a capability");
  }
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct none[2]{};
  checked(::syscall(SYS_capset, &header, none), "drop the capabilities");
  checked(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "refuse new privileges");
}

void connect_standard_streams(const Ends& ends) {
  checked(::dup2(ends.input, 0), "connect stdin");
  checked(::dup2(ends.output, 1), "connect stdout");
  checked(::dup2(ends.errors, 2), "connect stderr");
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

void set_limits(const Executor::Program& program, std::int64_t processes) {
  set_limit(RLIMIT_AS, program.memory_bytes);
  set_limit(RLIMIT_CPU, static_cast<std::int64_t>(std::ceil(program.seconds)) + 1);
  set_limit(RLIMIT_FSIZE, box_bytes);
  set_limit(RLIMIT_NOFILE, 128);
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_STACK, 8 << 20);
  set_limit(RLIMIT_MEMLOCK, 0);
  set_limit(RLIMIT_MSGQUEUE, 0);
  set_limit(RLIMIT_SIGPENDING, 256);
  set_limit(RLIMIT_NICE, 0);
  set_limit(RLIMIT_RTPRIO, 0);
  set_limit(RLIMIT_NPROC, processes);
}

/// The process that becomes the program: its descriptors, and then what every isolation has.
[[noreturn]] void be_program(const Confinement& confinement, const Executor::Program& program, Ends ends) {
  const bool namespaces = confinement.layers.isolation == Isolation::namespaces;
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // where no pid namespace ends it with the first process
  // Above 3, so that a stream can take its place.
  ends.status = static_cast<int>(checked(::fcntl(ends.status, F_DUPFD_CLOEXEC, 10), "keep the status"));
  if (ends.stream >= 0) {
    ends.stream = static_cast<int>(checked(::fcntl(ends.stream, F_DUPFD_CLOEXEC, 10), "keep the stream"));
  }
  connect_standard_streams(ends);
  if (ends.stream >= 0) checked(::dup2(ends.stream, 3), "connect the stream");
  close_by_exec(ends.stream >= 0 ? 4 : 3);
  const std::vector<std::string> everything = {"/"};
  finish_and_run(confinement, program, namespaces ? everything : confinement.readable,
                 namespaces ? box : confinement.folder, ends.status);
}

/// Reaps until the program has ended; returns its wait status.
int reap(pid_t program) {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == program) return status;
    if (ended < 0 && errno != EINTR) ::_exit(1);
  }
}

/// The kernel takes the program before the trainer when the machine runs out of memory.
void prefer_when_memory_runs_out() {
  const FileDescriptor file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file.get() >= 0) [[maybe_unused]]
    const ssize_t count = ::write(file.get(), "1000", 4);
}

void enter_namespaces(const Confinement& confinement, const Executor::Program& program) {
  if (confinement.layers.drops_uid) {
    become(inner_id, inner_id);
  } else {
    // Alone in the namespace, so there is nothing to change; a change would fail without a mapping.
    HONE_ASSERT(::geteuid() == inner_id);
  }
  checked(::sethostname("sandbox", 7), "name the host");
  enter_private_root(confinement.readable);
  write_files(box, program.files);
}

}  // namespace

void keep_only(std::vector<int> kept) {
  std::ranges::sort(kept);
  int next = 3;
  const auto close_to = [&next](unsigned last) {
    if (static_cast<unsigned>(next) > last || ::close_range(static_cast<unsigned>(next), last, 0) == 0) return;
    for (long fd = next; fd <= std::min<long>(last, ::sysconf(_SC_OPEN_MAX)); ++fd) ::close(static_cast<int>(fd));
  };
  for (const int fd : kept) {
    if (fd < next) continue;
    close_to(static_cast<unsigned>(fd) - 1);
    next = fd + 1;
  }
  close_to(~0U);
}

void close_by_exec(int first) {
  if (::close_range(static_cast<unsigned>(first), ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  const long most = ::sysconf(_SC_OPEN_MAX);
  for (int fd = first; fd < most; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void tell_refusal(int status, std::string_view why) { tell(status, 'R', why); }

void finish_and_run(const Confinement& confinement, const Executor::Program& program,
                    const std::vector<std::string>& readable, const std::string& folder, int status) {
  checked(::chdir(folder.c_str()), "enter the program's folder");
  set_limits(program, confinement.processes);
  drop_capabilities();
  if (confinement.layers.landlock_version > 0) restrict_to(readable, {folder}, confinement.layers.landlock_version);
  std::vector<std::string> command = program.command, environment = environment_in(folder);
  const std::vector<char*> arguments = pointers(command), variables = pointers(environment);
  install(confinement.filter);
  tell(status, 'S', {});
  if (command[0] == probe_command) ::_exit(probe_inside(command));
  ::environ = const_cast<char**>(variables.data());
  ::execvp(arguments[0], arguments.data());
  fail_errno("run " + program.command[0] + " in the sandbox (what is outside /usr must be named in `readable`)");
}

void become(uid_t uid, gid_t gid) {
  checked(::syscall(SYS_setgroups, 0, nullptr), "drop the supplementary groups");
  checked(::syscall(SYS_setresgid, gid, gid, gid), "change the group id");
  checked(::syscall(SYS_setresuid, uid, uid, uid), "change the user id");
}

std::vector<std::string> environment_in(const std::string& folder) {
  return {"PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
          "HOME=" + folder,
          "TMPDIR=" + folder + "/.tmp",
          "LANG=C.UTF-8",
          "TZ=UTC",
          "PYTHONHASHSEED=0",
          "PYTHONDONTWRITEBYTECODE=1",
          "PYTHONUNBUFFERED=1"};
}

void be_first_process(const Confinement& confinement, const Executor::Program& program, const Ends& ends) {
  const pid_t first = ::getpid();
  try {
    keep_only({ends.input, ends.output, ends.errors, ends.stream, ends.go, ends.status});
    char byte = 0;
    if (::read(ends.go, &byte, 1) != 1) ::_exit(1);
    ::close(ends.go);
    ::signal(SIGPIPE, SIG_DFL);
    prefer_when_memory_runs_out();
    if (confinement.layers.isolation == Isolation::namespaces) {
      enter_namespaces(confinement, program);
    } else {
      if (confinement.layers.drops_uid) become(confinement.slot.uid, confinement.slot.gid);
      write_files(confinement.folder, program.files);
    }
    // After the change of ids, which clears it.
    checked(::prctl(PR_SET_PDEATHSIG, SIGKILL), "die with the launcher");
    ::prctl(PR_SET_DUMPABLE, 0);
    const pid_t child = static_cast<pid_t>(checked(::fork(), "start a process"));
    if (child == 0) be_program(confinement, program, ends);
    for (const int fd : {ends.input, ends.output, ends.errors, ends.stream}) {
      if (fd >= 0) ::close(fd);
    }
    drop_capabilities();
    const int status = reap(child);
    tell(ends.status, 'E', std::string_view(reinterpret_cast<const char*>(&status), sizeof status));
  } catch (const std::exception& error) {
    tell(ends.status, 'R', error.what());
  }
  // The first process goes by itself; the program's half-made process must not return into the launcher's code either.
  ::_exit(::getpid() == first ? 0 : 127);
}

}  // namespace hone::sandbox
