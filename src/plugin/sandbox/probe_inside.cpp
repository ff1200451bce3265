#include "plugin/sandbox/probe_inside.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "io/file.h"

namespace hone::sandbox {

namespace {

void say(std::string_view property, const std::string& possible) {
  const std::string line = fmt::format("{} {}\n", property, possible.empty() ? "ok" : possible);
  [[maybe_unused]] const ssize_t count = ::write(1, line.data(), line.size());
}

std::string identity() {
  if (::getuid() == 0 || ::geteuid() == 0) return "it is root";
  // By the bare call: the library's own would ask every thread.
  if (::syscall(SYS_setresuid, 0, 0, 0) == 0) return "it could become root";
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return "set-user-id programs would work";
  if (::syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) == 0) return "it could make a user namespace";
  return {};
}

std::string network(const ProbeTargets& targets) {
  const FileDescriptor tcp(::socket(AF_INET, SOCK_STREAM, 0));
  if (tcp.get() >= 0) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(targets.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(tcp.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return "TCP connects";
  }
  const FileDescriptor local(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (local.get() >= 0) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, targets.socket.data(), targets.socket.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + targets.socket.size());
    if (::connect(local.get(), reinterpret_cast<sockaddr*>(&address), size) == 0) return "a Unix socket connects";
  }
  return {};
}

bool lists(const char* folder) {
  DIR* opened = ::opendir(folder);
  if (opened == nullptr) return false;
  bool some = false;
  while (const dirent* entry = ::readdir(opened)) some = some || entry->d_name[0] != '.';
  ::closedir(opened);
  return some;
}

std::string files_read(const ProbeTargets& targets) {
  const std::string secret = targets.folder + "/secret";
  if (FileDescriptor(::open(secret.c_str(), O_RDONLY)).get() >= 0) return "a file in another folder can be read";
  for (const std::string folder : {"/root", "/home", "/var", "/proc", "/mnt"}) {
    const auto below = [&](const std::string& path) { return (path + "/").starts_with(folder + "/"); };
    if (std::ranges::none_of(targets.readable, below) && lists(folder.c_str())) return folder + " can be read";
  }
  for (const char* file : {"/etc/passwd", "/etc/hostname"}) {
    if (FileDescriptor(::open(file, O_RDONLY)).get() >= 0) return fmt::format("{} can be read", file);
  }
  return {};
}

std::string files_written(const ProbeTargets& targets) {
  for (const std::string& path :
       {targets.folder + "/written", std::string("/usr/hone-sandbox-probe"), std::string("/var/tmp/hone-sandbox-probe"),
        std::string("/dev/shm/hone-sandbox-probe"), std::string("/hone-sandbox-probe")}) {
    if (FileDescriptor(::open(path.c_str(), O_CREAT | O_WRONLY, 0600)).get() >= 0) {
      ::unlink(path.c_str());
      return fmt::format("{} can be written", path);
    }
  }
  if (FileDescriptor(::open("own", O_CREAT | O_WRONLY, 0600)).get() < 0) return "its own folder cannot be written";
  return {};
}

std::string processes(const ProbeTargets& targets) {
  const auto target = static_cast<pid_t>(targets.process);
  if (::kill(target, 0) == 0) return "another process can be signalled";
  if (::ptrace(PTRACE_ATTACH, target, nullptr, nullptr) == 0) return "another process can be traced";
  char byte = 0;
  iovec here{.iov_base = &byte, .iov_len = 1}, there{.iov_base = &byte, .iov_len = 1};
  if (::process_vm_readv(target, &here, 1, &there, 1, 0) >= 0) return "another process's memory can be read";
  const std::string memory = fmt::format("/proc/{}/mem", target);
  if (FileDescriptor(::open(memory.c_str(), O_RDONLY)).get() >= 0) return "another process's memory can be opened";
  return {};
}

std::string process_limit(const ProbeTargets& targets) {
  std::vector<pid_t> children;
  bool refused = false;
  while (!refused && static_cast<std::int64_t>(children.size()) <= targets.processes) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) ::pause();
    }
    refused = child < 0;
    if (child > 0) children.push_back(child);
  }
  for (const pid_t child : children) ::kill(child, SIGKILL);
  for (const pid_t child : children) ::syscall(SYS_wait4, child, nullptr, 0, nullptr);
  if (!refused) return fmt::format("{} processes could be started", children.size());
  return children.size() < 2 ? "not even two processes can be started" : std::string();
}

std::string memory_limit(const ProbeTargets& targets) {
  const auto size = static_cast<std::size_t>(targets.memory);
  void* block = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block != MAP_FAILED) return "more memory than the limit could be had";
  block = ::mmap(nullptr, size / 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block == MAP_FAILED ? "not even a quarter of the memory could be had" : std::string();
}

/// Two forks away and in a session of its own, as daemons are; it keeps descriptor 3 open.
std::string leave_daemon() {
  const pid_t child = ::fork();
  if (child < 0) return "a process could not be started";
  if (child == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    for (const int signal : {SIGTERM, SIGHUP, SIGINT}) ::signal(signal, SIG_IGN);
    for (const int fd : {0, 1, 2}) ::close(fd);
    ::alarm(10);  // where nothing ends it, it ends itself
    for (;;) ::pause();
  }
  ::syscall(SYS_wait4, child, nullptr, 0, nullptr);
  return {};
}

}  // namespace

std::vector<std::string> ProbeTargets::command() const {
  std::vector<std::string> words = {std::string(probe_command), folder,
                                    fmt::to_string(port),       socket,
                                    fmt::to_string(process),    fmt::to_string(processes),
                                    fmt::to_string(memory)};
  words.insert(words.end(), readable.begin(), readable.end());
  return words;
}

int probe_inside(const std::vector<std::string>& command) {
  const ProbeTargets targets{.folder = command.at(1),
                             .port = std::stoi(command.at(2)),
                             .socket = command.at(3),
                             .process = std::stoll(command.at(4)),
                             .processes = std::stoll(command.at(5)),
                             .memory = std::stoll(command.at(6)),
                             .readable = {command.begin() + 7, command.end()}};
  say("identity", identity());
  say("network", network(targets));
  say("files_read", files_read(targets));
  say("files_written", files_written(targets));
  say("processes", processes(targets));
  say("process_limit", process_limit(targets));
  say("memory_limit", memory_limit(targets));
  say("done", leave_daemon());
  return 0;
}

}  // namespace hone::sandbox
