#include "plugin/sandbox/probe.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>

#include "io/file.h"
#include "plugin/sandbox/bubblewrap.h"
#include "plugin/sandbox/landlock.h"
#include "plugin/sandbox/probe_inside.h"
#include "plugin/sandbox/system_call_filter.h"
#include "plugin/sandbox/system_error.h"

namespace hone::sandbox {

namespace {

/// An abstract Unix socket; the name is free again when the descriptor closes. -1 when somebody has it.
FileDescriptor hold_name(const std::string& name) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) fail_errno("make a socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return FileDescriptor();
  checked(::listen(socket.get(), 1), "listen");
  return socket;
}

/// What the program inside is to reach for: a file, two listeners, this process.
class Bait {
 public:
  explicit Bait(const Settings& settings) {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone-sandbox-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) fail_errno("make a folder for the probe");
    targets_.folder = pattern;
    checked(::chmod(pattern.c_str(), 0777), "open the folder of the probe");
    write_file_atomic(pattern + "/secret", "not for the program\n");
    checked(::chmod((pattern + "/secret").c_str(), 0644), "open the file of the probe");
    targets_.socket = fmt::format("hone-sandbox-probe-{}", ::getpid());
    local_ = hold_name(targets_.socket);
    tcp_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (tcp_.get() >= 0 && ::bind(tcp_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        ::listen(tcp_.get(), 1) == 0 && ::getsockname(tcp_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      targets_.port = ntohs(address.sin_port);
    }
    targets_.process = ::getpid();
    targets_.processes = settings.processes;
    targets_.memory = 256 << 20;
    targets_.readable = settings.readable;
  }
  ~Bait() {
    std::error_code ignored;
    std::filesystem::remove_all(targets_.folder, ignored);
  }
  const ProbeTargets& targets() const { return targets_; }

 private:
  ProbeTargets targets_;
  FileDescriptor local_, tcp_;
};

struct Proof {
  std::vector<std::string> broken;  ///< names of properties
  std::string why;                  ///< in words; empty when nothing is broken
  bool ran = false;
};

void judge(Proof& proof, const std::string& lines, bool ended) {
  for (const std::string_view property : properties) {
    std::string found = "was not tried";
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with(std::string(property) + " ")) found = line.substr(property.size() + 1);
    }
    if (property == "ending") found = ended ? "ok" : "a process survived";
    if (found == "ok") continue;
    proof.broken.emplace_back(property);
    proof.why += fmt::format("{}{} ({})", proof.why.empty() ? "" : ", ", property, found);
  }
}

Proof prove(const Launch& launch, const Slot& slot) {
  const Bait bait(launch.settings);
  std::array<int, 2> leash;
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, leash.data()), "make a pair of sockets");
  const FileDescriptor ours(leash[0]);
  FileDescriptor theirs(leash[1]);
  const Executor::Program program{.command = bait.targets().command(),
                                  .seconds = 20,
                                  .memory_bytes = bait.targets().memory,
                                  .output_bytes = 1 << 16};
  const Executor::Outcome outcome = supervise(launch, program, slot, -1, theirs.get());
  theirs = FileDescriptor();
  Proof proof;
  if (outcome.end != Executor::Outcome::End::exited || outcome.output.find("\ndone ok\n") == std::string::npos) {
    proof.why = outcome.errors.empty() ? fmt::format("the probe did not finish: {}", outcome.output) : outcome.errors;
    return proof;
  }
  proof.ran = true;
  pollfd end{.fd = ours.get(), .events = POLLIN, .revents = 0};
  char byte = 0;
  const bool ended = ::poll(&end, 1, 2000) > 0 && ::recv(ours.get(), &byte, 1, 0) == 0;
  judge(proof, outcome.output, ended);
  return proof;
}

bool allowed(const Proof& proof, const Settings& settings) {
  return proof.ran && std::ranges::all_of(proof.broken, [&](const std::string& property) {
           return std::ranges::find(settings.allow_weaker, property) != settings.allow_weaker.end();
         });
}

/// Why this isolation cannot be tried here, or "".
std::string prepare(Launch& launch, Isolation isolation) {
  launch.layers.isolation = isolation;
  if (isolation == Isolation::bubblewrap && find_bubblewrap().empty()) return "bwrap is not installed";
  if (isolation == Isolation::landlock && launch.layers.landlock_version == 0) return "the kernel has no Landlock";
  return {};
}

}  // namespace

Launch choose(const Settings& settings) {
  Launch launch{.settings = settings, .readable = readable_paths(settings), .filter = system_call_filter()};
  launch.layers.drops_uid = ::geteuid() == 0;
  launch.layers.landlock_version = landlock_version();
  launch.group = PidsGroup::make();
  launch.layers.pids_group = launch.group != nullptr;
  const Slots slots;
  std::string missing;
  for (const Isolation isolation : settings.isolations) {
    std::string why;
    try {
      why = prepare(launch, isolation);
      if (why.empty()) {
        const Proof proof = prove(launch, slots.slot(most_slots - 1));
        if (allowed(proof, settings)) return launch;
        why = proof.why;
      }
    } catch (const std::exception& error) {
      why = error.what();
    }
    missing += fmt::format("\n  {}: {}", isolation_names[static_cast<std::size_t>(isolation)], why);
  }
  fail(
      ErrorKind::service,
      "this machine cannot isolate a program, so none runs. Tried:{}\n"
      "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces), install "
      "bubblewrap, or start as root; in a container allow them with its seccomp profile. To run weaker, name what need "
      "not hold in `allow_weaker`.",
      missing);
}

Slots::Slots() : root_(::geteuid() == 0) {
  constexpr unsigned first = 62000, last = 64976;  // Debian gives out no fixed ids here
  for (base_ = first; root_ && base_ < last; base_ += most_slots) {
    reservation_ = hold_name(fmt::format("hone-sandbox-uids-{}", base_));
    if (reservation_.get() >= 0) return;
  }
  if (root_) fail(ErrorKind::service, "the user ids of sandboxes ({} to {}) are all in use", first, last);
}

Slot Slots::slot(int number) const {
  HONE_ASSERT(number >= 0 && number < most_slots);
  if (!root_) return {.number = number, .uid = ::geteuid(), .gid = ::getegid()};
  const unsigned id = base_ + static_cast<unsigned>(number);
  return {.number = number, .uid = id, .gid = id};
}

}  // namespace hone::sandbox
