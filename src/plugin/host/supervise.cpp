#include "plugin/host/supervise.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

namespace hone {

namespace {

void say(int control, const std::string& line) {
  [[maybe_unused]] const ssize_t written = ::write(control, line.data(), line.size());
}

/// Parent of a process as /proc tells it; 0 when the process is gone.
pid_t parent_of(const char* process) {
  const std::string path = std::string("/proc/") + process + "/stat";
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[512];
  const ssize_t length = ::read(file, text, sizeof text - 1);
  ::close(file);
  if (length <= 0) return 0;
  text[length] = 0;
  const char* behind_name = ::strrchr(text, ')');  // the name may hold anything, parentheses too
  int parent = 0;
  return behind_name != nullptr && ::sscanf(behind_name + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

std::vector<pid_t> children() {
  std::vector<pid_t> found;
  DIR* processes = ::opendir("/proc");
  if (processes == nullptr) return found;
  const pid_t self = ::getpid();
  while (const dirent* entry = ::readdir(processes)) {
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && parent_of(entry->d_name) == self) {
      found.push_back(::atoi(entry->d_name));
    }
  }
  ::closedir(processes);
  return found;
}

/// Kills until there is no child. Who dies leaves its own children to us, so every descendant's turn comes.
void kill_all(pid_t group) {
  ::kill(-group, SIGKILL);
  while (true) {
    for (const pid_t child : children()) ::kill(child, SIGKILL);
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (ended < 0 && errno == ECHILD) return;
    ::usleep(1000);
  }
}

[[noreturn]] void become(char** command, rlim_t memory, int control, pid_t supervisor) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) ::_exit(127);
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1}) ::signal(signal, SIG_DFL);
  const rlimit limit{memory, memory};
  if (memory > 0) ::setrlimit(RLIMIT_AS, &limit);
  ::execvp(command[0], command);
  const int error = errno;
  say(control, "start " + std::to_string(error) + " " + ::strerror(error) + "\n");
  ::_exit(127);
}

/// Reaps what has ended. Whether the command itself was among it; then `line` tells how it ended.
bool reap(pid_t command, std::string& line) {
  bool ended = false;
  int status = 0;
  while (const pid_t process = ::waitpid(-1, &status, WNOHANG)) {
    if (process < 0) break;
    if (process != command) continue;
    ended = true;
    line = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status)) + "\n"
                               : "exit " + std::to_string(WEXITSTATUS(status)) + "\n";
  }
  return ended;
}

}  // namespace

int supervise(int argc, char** argv) {
  if (argc < 3) return 2;
  const int control = ::atoi(argv[0]);
  ::fcntl(control, F_SETFD, FD_CLOEXEC);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t caught;
  ::sigemptyset(&caught);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&caught, signal);
  ::sigprocmask(SIG_BLOCK, &caught, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const pid_t self = ::getpid();
  const pid_t command = ::fork();
  if (command < 0) {
    say(control, "start " + std::to_string(errno) + " " + ::strerror(errno) + "\n");
    return 1;
  }
  if (command == 0) become(argv + 2, ::strtoull(argv[1], nullptr, 10), control, self);
  ::setpgid(command, command);
  for (int descriptor = 0; descriptor <= 3; ++descriptor) ::close(descriptor);  // they end with the command, not with us
  const int signals = ::signalfd(-1, &caught, SFD_CLOEXEC);
  pollfd watched[] = {{control, POLLIN, 0}, {signals, POLLIN, 0}};
  std::string line;
  while (line.empty()) {
    if (::poll(watched, 2, -1) < 0) continue;
    if (watched[0].revents != 0) break;
    signalfd_siginfo signal;
    if (::read(signals, &signal, sizeof signal) != sizeof signal) continue;
    if (signal.ssi_signo != SIGCHLD || reap(command, line)) break;
  }
  kill_all(command);
  say(control, line.empty() ? "signal 9\n" : line);
  return 0;
}

}  // namespace hone
