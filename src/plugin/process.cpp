#include "plugin/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <mutex>

#include "base/error.h"

extern char** environ;

namespace hone {

namespace {

constexpr int control_descriptor = 4;  // in the supervisor

struct Pair {
  FileDescriptor ours, theirs;
};

/// A pipe whose ends are closed in other programs; ours does not block.
Pair make_pipe(bool we_write) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail(ErrorKind::io, "cannot make a pipe: {}", ::strerror(errno));
  Pair pair{FileDescriptor(ends[we_write ? 1 : 0]), FileDescriptor(ends[we_write ? 0 : 1])};
  ::fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK);
  if (we_write) ::fcntl(pair.ours.get(), F_SETPIPE_SZ, 1 << 20);  // fewer turns for a large batch; refused is fine
  return pair;
}

Pair make_control() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    fail(ErrorKind::io, "cannot make a socket: {}", ::strerror(errno));
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

/// Descriptor `theirs` as number `target` of the new program. A descriptor that has this number already would stay
/// closed-on-exec: posix_spawn clears the flag then (POSIX.1-2024; glibc since 2.29).
void give(posix_spawn_file_actions_t& actions, const FileDescriptor& theirs, int target) {
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), target);
}

std::vector<std::string> environment_of(const ProcessSpec& spec) {
  std::vector<std::string> all;
  for (const auto& [name, value] : spec.environment) all.push_back(name + "=" + value);
  all.emplace_back(spec.separate_replies ? "HONE_REPLY_FD=3" : "HONE_REPLY=stdout");
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const bool replaced = std::ranges::any_of(all, [name](const std::string& set) {
      return std::string_view(set).substr(0, set.find('=')) == name;
    });
    if (!replaced) all.emplace_back(text);
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// "exit 3" in words.
std::string in_words(std::string_view line) {
  const std::size_t blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  const std::string rest(blank == std::string_view::npos ? "" : line.substr(blank + 1));
  if (word == "exit") return "ended with exit code " + rest;
  if (word == "signal") return fmt::format("was killed by signal {} ({})", rest, ::strsignal(std::atoi(rest.c_str())));
  return "cannot be started: " + rest.substr(std::min(rest.size(), rest.find(' ') + 1));
}

}  // namespace

std::filesystem::path plugin_host() {
  if (const char* path = std::getenv("HONE_PLUGIN_HOST"); path != nullptr && *path != 0) return path;
  std::error_code ignored;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  std::filesystem::path host = self.parent_path() / "hone-plugin-host";
  if (std::filesystem::exists(host, ignored)) return host;
  fail(ErrorKind::io, "plug-ins run in the program hone-plugin-host, but there is no {}; build it (tools/build), or name it "
       "in the environment variable HONE_PLUGIN_HOST", host.string());
}

ChildProcess::ChildProcess(const ProcessSpec& spec) {
  static std::once_flag once;
  std::call_once(once, [] { ::signal(SIGPIPE, SIG_IGN); });  // a program that ends early must not end us
  Pair input = make_pipe(true), output = make_pipe(false), errors = make_pipe(false), replies = make_pipe(false);
  Pair control = make_control();
  std::vector<std::string> words{plugin_host().string(), "supervise", std::to_string(control_descriptor),
                                 std::to_string(spec.max_memory)};
  words.insert(words.end(), spec.command.begin(), spec.command.end());
  std::vector<std::string> environment = environment_of(spec);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  // Numbers 0 to 4 may be taken by the descriptors themselves, so they are moved up before they are given.
  const FileDescriptor* given[] = {&input.theirs, &output.theirs, &errors.theirs, &replies.theirs, &control.theirs};
  constexpr int above = 1000;
  for (int i = 0; i <= control_descriptor; ++i) give(actions, *given[i], above + i);
  for (int i = 0; i <= control_descriptor; ++i) ::posix_spawn_file_actions_adddup2(&actions, above + i, i);
  for (int i = 0; i <= control_descriptor; ++i) ::posix_spawn_file_actions_addclose(&actions, above + i);
  if (!spec.separate_replies) ::posix_spawn_file_actions_addclose(&actions, 3);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // Ctrl-C is for hone, which saves first
  const int error = ::posix_spawn(&supervisor_, words[0].c_str(), &actions, &attributes, pointers(words).data(),
                                  pointers(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    supervisor_ = -1;
    fail(ErrorKind::io, "cannot start {}: {}", words[0], ::strerror(error));
  }
  input_ = std::move(input.ours);
  output_ = std::move(output.ours);
  errors_ = std::move(errors.ours);
  control_ = std::move(control.ours);
  if (spec.separate_replies) replies_ = std::move(replies.ours);
}

ChildProcess::~ChildProcess() {
  control_ = FileDescriptor();  // the supervisor kills everything and ends
  if (supervisor_ > 0) {
    while (::waitpid(supervisor_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

std::string ChildProcess::ending(double seconds) {
  if (!ending_.empty()) return ending_;
  pollfd watched{control_.get(), POLLIN, 0};
  if (::poll(&watched, 1, static_cast<int>(seconds * 1000)) <= 0) return "";
  char text[256];
  const ssize_t length = ::read(control_.get(), text, sizeof text);
  // "start …" comes before the "exit 127" of the process that could not become the command.
  const std::string_view lines(text, static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  ending_ = length <= 0 ? "was ended from outside" : in_words(lines.substr(0, lines.find('\n')));
  return ending_;
}

void ChildProcess::finish(double seconds) {
  close_input();
  ending(seconds);
}

}  // namespace hone
