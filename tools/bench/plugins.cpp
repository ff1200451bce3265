/// What isolation costs: deadlines that hang are held to, and the start of a sandbox beside bubblewrap's.
///
///   g++ -std=c++20 -O2 -DFMT_HEADER_ONLY -I. -Isrc tools/bench/plugins.cpp build/libhone_core.a -lssl -lcrypto -lseccomp
///       -lpcre2-8 -lyaml-cpp -lz -lxxhash -pthread -o plugins && HONE_PLUGIN_HOST=build/hone-plugin-host ./plugins
///
/// Scores a second are `hone plugin bench`'s.

#include <fmt/format.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "plugin/exec.h"
#include "plugin/http_reward.h"
#include "plugin/process.h"
#include "plugin/sandbox/sandbox.h"

namespace {

using namespace hone;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class Work>
void measure(const std::string& what, int times, const Work& work) {
  std::vector<double> milliseconds;
  for (int i = 0; i < times; ++i) {
    const double start = now();
    work();
    milliseconds.push_back(1e3 * (now() - start));
  }
  std::ranges::sort(milliseconds);
  const std::size_t n = milliseconds.size();
  fmt::print("{:<60} median {:8.2f} ms   {:.2f} … {:.2f}\n", what, milliseconds[n / 2], milliseconds.front(),
             milliseconds.back());
}

void run_plain(std::vector<const char*> words) {
  words.push_back(nullptr);
  pid_t process = 0;
  ::posix_spawnp(&process, words[0], nullptr, nullptr, const_cast<char**>(words.data()), environ);
  ::waitpid(process, nullptr, 0);
}

Episode some_episode() {
  Episode episode;
  episode.turns.emplace_back();
  episode.turns[0].completion.text = "12";
  return episode;
}

/// The port of a socket that takes connections and never answers.
int silent_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::listen(listener, 64);
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void deadlines() {
  const Episode episode = some_episode();
  ExecRewardSpec exec;
  exec.name = "hangs";
  exec.command = {"sh", "-c", "echo '{\"hello\": {\"protocol\": 1, \"kind\": \"reward\"}}' >&3; trap '' TERM; sleep 1000"};
  exec.options.timeout = {2};
  measure("a program that hangs, timeout 2 s", 5, [&] {
    const auto reward = exec.make({});
    reward->score(std::span(&episode, 1));
  });
  HttpRewardSpec http;
  http.name = "silent";
  http.service.url = fmt::format("http://127.0.0.1:{}/v1/score", silent_port());
  http.service.timeout = {2};
  measure("a service that hangs, timeout 2 s", 5, [&] { http.make({})->score(std::span(&episode, 1)); });
}

void sandboxes() {
  measure("/bin/true, as it is", 100, [] { run_plain({"/bin/true"}); });
  measure("/bin/true in bwrap", 100, [] {
    run_plain({"bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/usr", "/usr", "--symlink",
               "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--tmpfs", "/box",
               "--chdir", "/box", "/bin/true"});
  });
  const std::shared_ptr<Executor> sandbox = make_sandbox({}, plugin_host().string());
  fmt::print("sandbox: {}\n", sandbox->layers());
  measure("/bin/true in the sandbox", 100, [&] { sandbox->run({.command = {"/bin/true"}}); });
  measure("python3 -S -c '', as it is", 50, [] { run_plain({"/usr/bin/python3", "-S", "-c", ""}); });
  measure("python3 -S -c '' in the sandbox", 50, [&] { sandbox->run({.command = {"/usr/bin/python3", "-S", "-c", ""}}); });
}

}  // namespace

int main() {
  deadlines();
  sandboxes();
}
