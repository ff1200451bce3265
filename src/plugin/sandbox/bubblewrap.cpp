#include "plugin/sandbox/bubblewrap.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "plugin/sandbox/file_view.h"
#include "plugin/sandbox/landlock.h"
#include "plugin/sandbox/system_call_filter.h"
#include "plugin/sandbox/system_error.h"

namespace hone::sandbox {

namespace {

constexpr const char* inner_host = "/hone-plugin-host";

/// A file in memory that bwrap copies into the program's folder. Stays open through exec.
int in_memory(const std::string& content) {
  const int file = static_cast<int>(checked(::memfd_create("file", 0), "make a file in memory"));
  for (std::size_t written = 0; written < content.size();) {
    written += static_cast<std::size_t>(
        checked(::write(file, content.data() + written, content.size() - written), "write a file in memory"));
  }
  checked(::lseek(file, 0, SEEK_SET), "rewind a file in memory");
  return file;
}

/// This program inside: as it is, or a copy where the user that bwrap runs as cannot reach it.
std::vector<std::string> show_host(int file) {
  std::error_code error;
  const std::string path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (!error && ::access(path.c_str(), X_OK) == 0) return {"--ro-bind", path, inner_host};
  checked(::fcntl(file, F_SETFD, 0), "keep a descriptor");
  return {"--perms", "0755", "--ro-bind-data", fmt::to_string(file), inner_host};
}

std::vector<std::string> arguments(const Launch& launch, const Executor::Program& program, const Ends& ends, int host) {
  std::vector<std::string> words = {find_bubblewrap(),
                                    "--unshare-all",
                                    "--die-with-parent",
                                    "--new-session",
                                    "--uid",
                                    fmt::to_string(inner_id),
                                    "--gid",
                                    fmt::to_string(inner_id),
                                    "--hostname",
                                    "sandbox",
                                    "--clearenv"};
  const auto add = [&words](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  for (const std::string& path : launch.readable) {
    std::error_code ignored;
    const bool link = std::filesystem::is_symlink(path, ignored);
    const std::string target = link ? std::filesystem::read_symlink(path, ignored).string() : "";
    if (target.starts_with("usr/") || target.starts_with("/usr/")) {
      add({"--symlink", target, path});
    } else {
      add({"--ro-bind", path, path});
    }
  }
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
    add({"--dev-bind", device, device});
  }
  const std::string folder = box;
  for (const std::string& word : show_host(host)) words.push_back(word);
  add({"--size", fmt::to_string(box_bytes), "--tmpfs", folder, "--dir", folder + "/.tmp", "--symlink",
       folder.substr(1) + "/.tmp", "/tmp"});
  for (const auto& [name, content] : program.files)
    add({"--file", fmt::to_string(in_memory(content)), folder + "/" + name});
  add({"--remount-ro", "/", "--chdir", folder, "--", inner_host, "sandbox", "stub", fmt::to_string(ends.status),
       fmt::to_string(ends.stream), fmt::to_string(launch.settings.processes), fmt::format("{}", program.seconds),
       fmt::to_string(program.memory_bytes), "--"});
  words.insert(words.end(), program.command.begin(), program.command.end());
  return words;
}

}  // namespace

std::string find_bubblewrap() {
  for (const char* path : {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return {};
}

void be_bubblewrap(const Launch& launch, const Executor::Program& program, const Slot& slot, const Ends& ends) {
  try {
    keep_only({ends.input, ends.output, ends.errors, ends.stream, ends.go, ends.status});
    char byte = 0;
    if (::read(ends.go, &byte, 1) != 1) ::_exit(1);
    ::close(ends.go);
    ::signal(SIGPIPE, SIG_DFL);
    const int host = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (launch.layers.drops_uid) become(slot.uid, slot.gid);
    checked(::prctl(PR_SET_PDEATHSIG, SIGKILL), "die with the launcher");
    check_names(program.files);
    std::vector<std::string> words = arguments(launch, program, ends, host);
    checked(::dup2(ends.input, 0), "connect stdin");
    checked(::dup2(ends.output, 1), "connect stdout");
    checked(::dup2(ends.errors, 2), "connect stderr");
    for (const int fd : {ends.stream, ends.status}) {
      if (fd >= 0) checked(::fcntl(fd, F_SETFD, 0), "keep a descriptor");
    }
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::execv(pointers[0], pointers.data());
    fail_errno("run bwrap");
  } catch (const std::exception& error) {
    tell_refusal(ends.status, error.what());
  }
  ::_exit(1);
}

int run_in_bubblewrap(int argc, char** argv) {
  if (argc < 7) return 1;
  int status = std::stoi(argv[0]);
  try {
    Executor::Program program;
    Confinement confinement;
    confinement.layers.landlock_version = landlock_version();
    confinement.filter = system_call_filter();
    confinement.processes = std::stoll(argv[2]);
    program.seconds = std::stod(argv[3]);
    program.memory_bytes = std::stoll(argv[4]);
    program.command.assign(argv + 6, argv + argc);
    const int stream = std::stoi(argv[1]);
    status = static_cast<int>(checked(::fcntl(status, F_DUPFD_CLOEXEC, 10), "keep the status"));
    if (stream >= 0) {
      const int kept = static_cast<int>(checked(::fcntl(stream, F_DUPFD_CLOEXEC, 10), "keep the stream"));
      checked(::dup2(kept, 3), "connect the stream");
    }
    close_by_exec(stream >= 0 ? 4 : 3);
    finish_and_run(confinement, program, {"/"}, box, status);
  } catch (const std::exception& error) {
    tell_refusal(status, error.what());
  }
  return 1;
}

}  // namespace hone::sandbox
