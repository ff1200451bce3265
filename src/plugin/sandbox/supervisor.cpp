#include "plugin/sandbox/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>

#include "io/file.h"
#include "plugin/sandbox/bubblewrap.h"
#include "plugin/sandbox/file_view.h"
#include "plugin/sandbox/system_error.h"
#include "plugin/sandbox/tree_memory.h"

namespace hone::sandbox {

namespace {

using Clock = std::chrono::steady_clock;
using Outcome = Executor::Outcome;

struct Pair {
  FileDescriptor ours, theirs;
};

Pair pipe_to_us() {
  std::array<int, 2> ends;
  checked(::pipe2(ends.data(), O_CLOEXEC), "make a pipe");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

Pair pipe_to_them() {
  Pair pipe = pipe_to_us();
  std::swap(pipe.ours, pipe.theirs);
  return pipe;
}

Pair packets() {
  std::array<int, 2> ends;
  checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), "make a pair of sockets");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

void write_value(const std::string& path, const std::string& value) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0 || ::write(file.get(), value.data(), value.size()) < 0) fail_errno("write " + path);
}

/// One sandbox from its start to the end of everything in it.
class Run {
 public:
  Run(const Launch& launch, const Executor::Program& program, const Slot& slot, int connection, int stream)
      : launch_(launch), program_(program), slot_(slot), connection_(connection), stream_(stream) {}

  Outcome run() {
    try {
      start();
      converse();
    } catch (const std::exception& error) {
      refuse(error.what());
    }
    end_everything();
    return finished();
  }

 private:
  void start();
  void start_process(const Ends& ends);
  void map_ids() const;
  void converse();
  bool receive(FileDescriptor& end, std::string& text);
  void feed();
  bool too_heavy();
  bool hear_status();
  void end_everything();
  void hear_bubblewrap(int status);
  Outcome finished();

  void refuse(std::string why) {
    outcome_.end = Outcome::End::refused;
    why_refused_ = std::move(why);
  }

  const Launch& launch_;
  const Executor::Program& program_;
  const Slot slot_;
  const int connection_, stream_;
  pid_t process_ = -1;
  std::string folder_;                                      // on disk, without namespaces
  FileDescriptor input_, output_, errors_, status_, gone_;  // `gone_` is readable when the first process has ended
  std::size_t fed_ = 0;
  Clock::time_point begin_ = Clock::now(), end_ = begin_, weighed_ = begin_;
  Outcome outcome_;
  bool started_ = false, ended_ = false, told_ = false;
  std::string why_refused_;
};

void Run::start() {
  if (program_.command.empty()) fail(ErrorKind::internal, "a program for the sandbox needs a command");
  Pair input = pipe_to_them(), output = pipe_to_us(), errors = pipe_to_us(), go = pipe_to_them(), status = packets();
  Ends ends{.input = input.theirs.get(),
            .output = output.theirs.get(),
            .errors = errors.theirs.get(),
            .stream = stream_,
            .go = go.theirs.get(),
            .status = status.theirs.get()};
  if (launch_.layers.isolation == Isolation::landlock) {
    checked(::prctl(PR_SET_CHILD_SUBREAPER, 1), "adopt orphans");
    folder_ = (std::filesystem::temp_directory_path() / "hone-sandbox-XXXXXX").string();
    if (::mkdtemp(folder_.data()) == nullptr) fail_errno("make a folder for the program");
    checked(::mkdir((folder_ + "/.tmp").c_str(), 0700), "make a folder for temporary files");
    for (const std::string& path : {folder_, folder_ + "/.tmp"}) {
      if (!launch_.layers.drops_uid) continue;
      checked(::chown(path.c_str(), slot_.uid, slot_.gid), "give the folder to the program");
    }
  }
  start_process(ends);
  gone_ = FileDescriptor(static_cast<int>(checked(::syscall(SYS_pidfd_open, process_, 0), "watch the first process")));
  if (launch_.layers.isolation == Isolation::namespaces) map_ids();
  if (launch_.group) launch_.group->enter(slot_.number, process_, launch_.settings.processes + 4);
  begin_ = Clock::now();
  checked(::write(go.ours.get(), "g", 1), "start the first process");
  input_ = std::move(input.ours), output_ = std::move(output.ours), errors_ = std::move(errors.ours);
  status_ = std::move(status.ours);
  for (FileDescriptor* end : {&input_, &output_, &errors_, &status_}) ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
}

void Run::start_process(const Ends& ends) {
  constexpr unsigned long new_namespaces =
      CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  const bool namespaces = launch_.layers.isolation == Isolation::namespaces;
  // As fork does, for a process of one thread: nothing is shared and the stack is copied.
  process_ = static_cast<pid_t>(
      checked(::syscall(SYS_clone, (namespaces ? new_namespaces : 0) | SIGCHLD, nullptr, nullptr, nullptr, 0),
              namespaces ? "make new namespaces" : "start a process"));
  if (process_ != 0) return;
  const Confinement confinement{.layers = launch_.layers,
                                .readable = launch_.readable,
                                .filter = launch_.filter,
                                .processes = launch_.settings.processes,
                                .slot = slot_,
                                .folder = folder_};
  if (launch_.layers.isolation == Isolation::bubblewrap) be_bubblewrap(launch_, program_, slot_, ends);
  be_first_process(confinement, program_, ends);
}

void Run::map_ids() const {
  const std::string place = fmt::format("/proc/{}/", process_);
  if (!launch_.layers.drops_uid) write_value(place + "setgroups", "deny");
  write_value(place + "uid_map", fmt::format("{} {} 1", inner_id, slot_.uid));
  write_value(place + "gid_map", fmt::format("{} {} 1", inner_id, slot_.gid));
}

/// Reads what is there; false at the end. What is beyond the program's limit is dropped, so that it never waits for us.
bool Run::receive(FileDescriptor& end, std::string& text) {
  std::array<char, 1 << 16> chunk;
  const ssize_t count = ::read(end.get(), chunk.data(), chunk.size());
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(program_.output_bytes, 0)) - text.size();
  text.append(chunk.data(), std::min(room, static_cast<std::size_t>(count)));
  return true;
}

void Run::feed() {
  const std::string_view rest = std::string_view(program_.input).substr(fed_);
  const ssize_t count = rest.empty() ? 0 : ::write(input_.get(), rest.data(), rest.size());
  if (count > 0) fed_ += static_cast<std::size_t>(count);
  const bool refused = count < 0 && errno != EAGAIN && errno != EINTR;
  if (refused || fed_ == program_.input.size()) input_ = FileDescriptor();
}

/// False when nothing more will be told.
bool Run::hear_status() {
  std::array<char, 4096> packet;
  if (status_.get() < 0) return false;
  const ssize_t count = ::recv(status_.get(), packet.data(), packet.size(), 0);
  if (count < 0) return errno == EINTR;
  if (count == 0) return false;
  if (packet[0] == 'S') started_ = true;
  if (packet[0] == 'R') refuse(std::string(packet.data() + 1, static_cast<std::size_t>(count) - 1));
  if (packet[0] == 'E') {
    int status = 0;
    std::memcpy(&status, packet.data() + 1, sizeof status);
    if (why_refused_.empty()) {
      outcome_.end = WIFEXITED(status) ? Outcome::End::exited : Outcome::End::killed;
      outcome_.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    }
    ended_ = true;
  }
  return true;
}

/// RLIMIT_AS bounds each process; all together may have twice that.
bool Run::too_heavy() {
  weighed_ = Clock::now();
  if (memory_of_descendants(::getpid()) <= 2 * program_.memory_bytes + (32 << 20)) return false;
  if (why_refused_.empty()) outcome_.end = Outcome::End::killed, outcome_.code = SIGKILL;
  told_ = true;
  return true;
}

/// Until the program has ended, its time is over or nobody wants it any more.
void Run::converse() {
  const auto deadline = begin_ + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(std::clamp(program_.seconds, 0.0, 1e6)));
  while (!ended_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      if (why_refused_.empty()) outcome_.end = Outcome::End::timed_out;
      told_ = true;
      return;
    }
    std::array<pollfd, 6> watched{{{input_.get(), POLLOUT, 0},
                                   {output_.get(), POLLIN, 0},
                                   {errors_.get(), POLLIN, 0},
                                   {status_.get(), POLLIN, 0},
                                   {connection_, POLLIN | POLLRDHUP, 0},
                                   {gone_.get(), POLLIN, 0}}};
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(std::min<std::int64_t>(left, 50)));
    if (ready < 0 && errno != EINTR) fail_errno("wait for the program");
    if (Clock::now() >= weighed_ + std::chrono::milliseconds(50) && too_heavy()) return;
    if (ready <= 0) continue;
    if (watched[0].revents != 0) feed();
    if (watched[1].revents != 0 && !receive(output_, outcome_.output)) output_ = FileDescriptor();
    if (watched[2].revents != 0 && !receive(errors_, outcome_.errors)) errors_ = FileDescriptor();
    if (watched[4].revents != 0) {
      if (why_refused_.empty()) outcome_.end = Outcome::End::killed, outcome_.code = SIGKILL;
      told_ = true;
      return;
    }
    if (watched[3].revents != 0 && !hear_status()) status_ = FileDescriptor();
    if (watched[5].revents != 0) return;
  }
}

/// One SIGKILL to every process of the slot's user; false when there was none. Only for users of a slot's own. A signal
/// to all says nothing about whom it met, so the killer asks the kernel whether it could start a second process.
bool kill_user(const Slot& slot) {
  const pid_t killer = ::fork();
  if (killer == 0) {
    try {
      become(slot.uid, slot.gid);
    } catch (const std::exception&) {
      ::_exit(1);
    }
    ::kill(-1, SIGKILL);  // all but this process itself
    const rlimit two{.rlim_cur = 2, .rlim_max = 2};
    ::setrlimit(RLIMIT_NPROC, &two);
    const pid_t second = ::fork();
    if (second > 0) ::waitpid(second, nullptr, 0);
    ::_exit(second < 0 ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(killer, &status, 0) < 0 && errno == EINTR) continue;
  return killer < 0 || status != 0;
}

/// Orphans are this process's children (a subreaper), so that none stays as a zombie that could still be counted.
bool end_user(const Slot& slot) {
  for (const auto until = Clock::now() + std::chrono::seconds(5); Clock::now() < until;) {
    const bool some = kill_user(slot);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) continue;
    if (!some) return true;
    ::usleep(1000);
  }
  return false;
}

void Run::end_everything() {
  if (process_ <= 0) return;
  // In a pid namespace this kills all of it, and the wait returns when all are gone.
  ::kill(process_, SIGKILL);
  if (launch_.layers.isolation == Isolation::landlock && launch_.layers.drops_uid) {
    if (!end_user(slot_)) refuse("processes of the program would not die");
  } else {
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) continue;
    if (launch_.layers.isolation == Isolation::bubblewrap) hear_bubblewrap(status);
  }
  end_ = Clock::now();
  for (auto [end, text] : {std::pair(&output_, &outcome_.output), std::pair(&errors_, &outcome_.errors)}) {
    // What was written before the end is still in the pipe; nobody can write any more.
    for (std::array<pollfd, 1> one{{{end->get(), POLLIN, 0}}};
         end->get() >= 0 && ::poll(one.data(), 1, 0) > 0 && receive(*end, *text);) {
    }
  }
  while (!told_ && hear_status()) continue;
  if (launch_.group) launch_.group->leave(slot_.number);
  if (!folder_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
}

/// Bubblewrap has no status to tell but its own exit: that of the program, or 128 and a signal's number.
void Run::hear_bubblewrap(int status) {
  while (hear_status()) continue;
  if (!started_ || told_ || !why_refused_.empty() || !WIFEXITED(status)) return;
  ended_ = true;
  const int code = WEXITSTATUS(status);
  outcome_.end = code > 128 ? Outcome::End::killed : Outcome::End::exited;
  outcome_.code = code > 128 ? code - 128 : code;
}

Outcome Run::finished() {
  outcome_.seconds = std::chrono::duration<double>(end_ - begin_).count();
  if (why_refused_.empty() && !ended_ && !told_) {
    // The first process was killed from outside, by the kernel when memory runs out.
    outcome_.end = started_ ? Outcome::End::killed : Outcome::End::refused;
    outcome_.code = SIGKILL;
    if (!started_) why_refused_ = "the first process of the sandbox died before the program started " + outcome_.errors;
  }
  if (told_ && !started_ && why_refused_.empty()) why_refused_ = "the sandbox was not ready when the time was over";
  if (!why_refused_.empty()) {
    outcome_.end = Outcome::End::refused;
    outcome_.errors = why_refused_;
  }
  return std::move(outcome_);
}

}  // namespace

Executor::Outcome supervise(const Launch& launch, const Executor::Program& program, const Slot& slot, int connection,
                            int stream) {
  return Run(launch, program, slot, connection, stream).run();
}

}  // namespace hone::sandbox
