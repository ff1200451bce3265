#include "plugin/sandbox/sandbox.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/error.h"
#include "io/file.h"
#include "plugin/sandbox/layers.h"
#include "plugin/sandbox/messages.h"
#include "plugin/sandbox/system_error.h"

namespace hone {

namespace {

using Outcome = Executor::Outcome;
using Program = Executor::Program;

struct Pair {
  FileDescriptor ours, theirs;
};

Pair sockets(int type) {
  std::array<int, 2> ends;
  sandbox::checked(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()), "make a pair of sockets");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

/// The process that makes sandboxes; one at a time, started again when it died.
class Launcher {
 public:
  Launcher(std::vector<std::string> command) : command_(std::move(command)) {}
  ~Launcher() { stop(); }
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  /// Hands over descriptors; starts the process when there is none. Error{service} when it cannot start.
  void send(std::initializer_list<int> descriptors) {
    const std::lock_guard lock(mutex_);
    if (process_ > 0 && sandbox::send_descriptors(control_.get(), "run", descriptors)) return;
    start();
    if (!sandbox::send_descriptors(control_.get(), "run", descriptors)) {
      fail(ErrorKind::service, "the launcher of sandboxes died: {}", command_[0]);
    }
  }
  std::string layers() {
    const std::lock_guard lock(mutex_);
    if (process_ < 0) start();
    return layers_;
  }

 private:
  void start();
  void stop();

  std::vector<std::string> command_;
  std::mutex mutex_;
  FileDescriptor control_;
  pid_t process_ = -1;
  std::string layers_;
};

void Launcher::start() {
  stop();
  Pair control = sockets(SOCK_SEQPACKET);
  // A copy above 3: the target of the copy below must not be its source.
  FileDescriptor theirs(::fcntl(control.theirs.get(), F_DUPFD_CLOEXEC, 10));
  if (theirs.get() < 0) sandbox::fail_errno("copy a descriptor");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), 3);
  std::vector<char*> words;
  for (std::string& word : command_) words.push_back(word.data());
  words.push_back(nullptr);
  const int error = ::posix_spawn(&process_, words[0], &actions, nullptr, words.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    process_ = -1;
    fail(ErrorKind::service, "cannot start {}, which runs programs in sandboxes: {}", command_[0],
         std::strerror(error));
  }
  control.theirs = FileDescriptor(), theirs = FileDescriptor();  // so that its death is seen
  control_ = std::move(control.ours);
  const auto packet = sandbox::receive_packet(control_.get());
  if (!packet || !packet->text.starts_with("ok ")) {
    stop();
    fail(ErrorKind::service, "{}",
         packet && packet->text.starts_with("no ") ? packet->text.substr(3)
                                                   : command_[0] + " sandbox serve ended before it was ready");
  }
  layers_ = packet->text.substr(3);
}

void Launcher::stop() {
  control_ = FileDescriptor();  // the launcher ends by this, and every sandbox with it
  while (process_ > 0 && ::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
  process_ = -1;
}

class Sandbox : public Executor {
 public:
  Sandbox(const SandboxConfig& config, const std::string& host) : launcher_(command(config, host)) {
    launcher_.layers();
  }

  Outcome run(const Program& program) override {
    try {
      const auto border = std::ranges::find(program.command, second_program);
      if (border == program.command.end()) return finish(start(program, -1), program.seconds);
      return run_two(program, static_cast<std::size_t>(border - program.command.begin()));
    } catch (const std::exception& error) {
      return {.end = Outcome::End::refused, .errors = error.what()};
    }
  }

  std::string layers() const override { return launcher_.layers(); }

 private:
  static std::vector<std::string> command(const SandboxConfig& config, const std::string& host);

  /// Descriptor of the connection to the program's supervisor.
  FileDescriptor start(const Program& program, int stream) {
    Pair connection = sockets(SOCK_STREAM);
    if (stream < 0) {
      launcher_.send({connection.theirs.get()});
    } else {
      launcher_.send({connection.theirs.get(), stream});
    }
    connection.theirs = FileDescriptor();
    if (!sandbox::send_message(connection.ours.get(), sandbox::pack(program))) {
      fail(ErrorKind::service, "the supervisor of a sandbox died before it had its program");
    }
    return std::move(connection.ours);
  }

  /// The supervisor keeps the program's time; half a minute more means that it is gone itself.
  static Outcome finish(const FileDescriptor& connection, double seconds) {
    const auto message = sandbox::receive_message(connection.get(), seconds + 30);
    if (!message) return {.end = Outcome::End::refused, .errors = "the supervisor of a sandbox died"};
    return sandbox::unpack_outcome(*message);
  }

  Outcome run_two(const Program& both, std::size_t border) {
    Program first = both, second = both;
    first.command.resize(border);
    second.command.erase(second.command.begin(), second.command.begin() + static_cast<std::ptrdiff_t>(border) + 1);
    const std::string prefix = std::string(second_program) + "/";
    std::erase_if(first.files, [&](const auto& file) { return file.first.starts_with(prefix); });
    std::erase_if(second.files, [&](const auto& file) { return !file.first.starts_with(prefix); });
    for (auto& [name, content] : second.files) name.erase(0, prefix.size());
    second.input.clear();
    Pair stream = sockets(SOCK_STREAM);
    const FileDescriptor ours = start(first, stream.ours.get());
    const FileDescriptor theirs = start(second, stream.theirs.get());
    stream.ours = FileDescriptor(), stream.theirs = FileDescriptor();  // so that each program sees the end of the other
    Outcome outcome = finish(ours, first.seconds);
    ::shutdown(theirs.get(), SHUT_WR);  // no longer wanted
    Outcome other = finish(theirs, second.seconds);
    return other.end == Outcome::End::refused ? std::move(other) : std::move(outcome);
  }

  mutable Launcher launcher_;
};

std::vector<std::string> Sandbox::command(const SandboxConfig& config, const std::string& host) {
  std::vector<std::string> words = {host, "sandbox", "serve", "--processes", fmt::to_string(config.processes)};
  const auto add = [&words](std::string_view key, std::string_view value) {
    words.emplace_back(key);
    words.emplace_back(value);
  };
  if (config.isolation != SandboxConfig::Isolation::automatic) {
    add("--isolation", SandboxConfig::isolation_names[static_cast<std::size_t>(config.isolation)]);
  }
  for (const std::string& path : config.readable) add("--readable", path);
  for (const std::string& property : config.allow_weaker) add("--allow-weaker", property);
  return words;
}

}  // namespace

void SandboxConfig::describe(Fields& f) {
  f.choice("isolation", isolation, isolation_names,
           "What shuts programs in; auto takes the first that this machine can do and that a probe proves.");
  f.field("readable", readable, "Paths that programs may read beside the system's own (/usr, /lib, …).");
  f.field("processes", processes, "Processes and threads that one program may have.", between(4, 4096));
  f.field("allow_weaker", allow_weaker,
          "Properties that need not hold: identity, network, files_read, files_written, processes, process_limit, "
          "memory_limit, ending.");
  f.check(std::ranges::all_of(allow_weaker,
                              [](const std::string& name) {
                                return std::ranges::find(sandbox::properties, name) != std::end(sandbox::properties);
                              }),
          "allow_weaker",
          "expected names of properties: identity, network, files_read, files_written, processes, process_limit, "
          "memory_limit, ending");
}

std::shared_ptr<Executor> make_sandbox(const SandboxConfig& config, const std::string& host) {
  return std::make_shared<Sandbox>(config, host);
}

}  // namespace hone
