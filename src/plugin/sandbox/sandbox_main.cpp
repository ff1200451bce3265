#include "plugin/sandbox/sandbox_main.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <iterator>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "io/file.h"
#include "plugin/sandbox/bubblewrap.h"
#include "plugin/sandbox/messages.h"
#include "plugin/sandbox/probe.h"

namespace hone {

namespace sandbox {

namespace {

constexpr int control = 3;

struct Options {
  Settings settings;
  Executor::Program program;
};

Isolation isolation_of(const std::string& name) {
  const auto found = std::ranges::find(isolation_names, name);
  if (found == std::end(isolation_names)) {
    fail(ErrorKind::usage, "--isolation {}: expected namespaces, bubblewrap or landlock", name);
  }
  return static_cast<Isolation>(found - std::begin(isolation_names));
}

void check_property(const std::string& name) {
  if (std::ranges::find(properties, name) != std::end(properties)) return;
  fail(ErrorKind::usage, "--allow-weaker {}: expected one of {}", name, fmt::join(properties, ", "));
}

Options parse(const std::vector<std::string>& words) {
  Options options;
  std::vector<Isolation> isolations;
  std::size_t i = 0;
  for (; i < words.size() && words[i] != "--"; ++i) {
    const std::string& key = words[i];
    if (key == "--stdin") {
      options.program.input.assign(std::istreambuf_iterator<char>(std::cin), {});
      continue;
    }
    if (i + 1 == words.size()) fail(ErrorKind::usage, "{}: expected a value after it", key);
    const std::string& value = words[++i];
    if (key == "--isolation") isolations.push_back(isolation_of(value));
    else if (key == "--readable") options.settings.readable.push_back(value);
    else if (key == "--allow-weaker") check_property(value), options.settings.allow_weaker.push_back(value);
    else if (key == "--processes") options.settings.processes = std::stoll(value);
    else if (key == "--seconds") options.program.seconds = std::stod(value);
    else if (key == "--memory") options.program.memory_bytes = std::stoll(value);
    else if (key == "--output") options.program.output_bytes = std::stoll(value);
    else if (key == "--file") {
      const std::size_t equals = value.find('=');
      if (equals == std::string::npos) fail(ErrorKind::usage, "--file {}: expected NAME=PATH", value);
      options.program.files.emplace_back(value.substr(0, equals), read_file(value.substr(equals + 1)));
    } else fail(ErrorKind::usage, "hone-plugin-host sandbox: unknown option {}", key);
  }
  if (i < words.size()) options.program.command.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
  if (!isolations.empty()) options.settings.isolations = isolations;
  return options;
}

int run_one(const Options& options) {
  if (options.program.command.empty()) fail(ErrorKind::usage, "expected -- and a command");
  const Launch launch = choose(options.settings);
  const Slots slots;
  const Executor::Outcome outcome = supervise(launch, options.program, slots.slot(0), -1, -1);
  constexpr std::array<const char*, 4> ends{"exited", "killed", "timed_out", "refused"};
  Json line = Json::object();
  line.set("end", ends[static_cast<std::size_t>(outcome.end)]);
  line.set("code", outcome.code);
  line.set("seconds", outcome.seconds);
  line.set("output", valid_utf8(outcome.output));
  line.set("errors", valid_utf8(outcome.errors));
  line.set("layers", launch.layers.text());
  std::printf("%s\n", line.dump().c_str());
  return outcome.end == Executor::Outcome::End::refused ? static_cast<int>(ErrorKind::service) : 0;
}

/// The running sandboxes by slot; each is supervised by a process of its own.
class Running {
 public:
  /// Waits while all slots are taken.
  int free_slot() {
    reap(0);
    while (std::ranges::find(processes_, 0) == processes_.end()) reap(1);
    return static_cast<int>(std::ranges::find(processes_, 0) - processes_.begin());
  }
  void set(int slot, pid_t process) { processes_[static_cast<std::size_t>(slot)] = process; }
  void reap(int at_least) {
    for (pid_t ended; (ended = ::waitpid(-1, nullptr, at_least > 0 ? 0 : WNOHANG)) > 0; at_least = 0) {
      std::ranges::replace(processes_, ended, 0);
    }
  }
  bool any() const {
    return std::ranges::any_of(processes_, [](pid_t process) { return process != 0; });
  }

 private:
  std::array<pid_t, most_slots> processes_{};
};

[[noreturn]] void serve_one(const Launch& launch, const Slot& slot, const std::vector<int>& descriptors) {
  const int connection = descriptors.at(0), stream = descriptors.size() > 1 ? descriptors[1] : -1;
  ::close(control);
  try {
    if (const auto message = receive_message(connection, 30)) {
      send_message(connection, pack(supervise(launch, unpack_program(*message), slot, connection, stream)));
    }
  } catch (const std::exception& error) {
    send_message(connection, pack({.end = Executor::Outcome::End::refused, .errors = error.what()}));
  }
  ::_exit(0);
}

int serve(const Settings& settings) {
  ::setsid();  // what a terminal sends to hone is hone's to handle
  keep_only({control});
  std::optional<Launch> launch;
  try {
    launch = choose(settings);
  } catch (const std::exception& error) {
    send_descriptors(control, std::string("no ") + error.what(), {});
    return static_cast<int>(ErrorKind::service);
  }
  const Slots slots;
  send_descriptors(control, "ok " + launch->layers.text(), {});
  Running running;
  for (;;) {
    pollfd one{.fd = control, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&one, 1, running.any() ? 200 : -1);
    running.reap(0);
    if (ready <= 0) continue;
    const auto packet = receive_packet(control);
    if (!packet) break;  // hone has ended; each supervisor sees it too
    if (packet->descriptors.empty()) continue;
    const int slot = running.free_slot();
    const pid_t process = ::fork();
    if (process == 0) serve_one(*launch, slots.slot(slot), packet->descriptors);
    if (process > 0) running.set(slot, process);
    for (const int fd : packet->descriptors) ::close(fd);
  }
  while (::waitpid(-1, nullptr, 0) > 0) continue;
  return 0;
}

int dispatch(const std::string& task, const std::vector<std::string>& words) {
  const Options options = parse(words);
  if (task == "serve") return serve(options.settings);
  if (task == "run") return run_one(options);
  if (task == "check") {
    const Launch launch = choose(options.settings);
    std::printf("%s\n", launch.layers.text().c_str());
    return 0;
  }
  fail(ErrorKind::usage, "hone-plugin-host sandbox: expected serve, check or run");
}

}  // namespace

}  // namespace sandbox

int sandbox_main(int argc, char** argv) {
  const std::string task = argc > 0 ? argv[0] : "";
  if (task == "stub") return sandbox::run_in_bubblewrap(argc - 1, argv + 1);
  try {
    return sandbox::dispatch(task, std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hone-plugin-host sandbox: %s\n", error.what());
    return static_cast<int>(ErrorKind::usage);
  }
}

}  // namespace hone
