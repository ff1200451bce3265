#include <doctest/doctest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>

#include "io/file.h"
#include "plugin/http_reward.h"
#include "tests/support/episodes.h"
#include "tests/support/fault_server.h"
#include "tests/support/scratch.h"

namespace hone {

namespace {

/// The indented block of the page that begins with this line.
std::string block_of(const std::string& page, const std::string& first) {
  std::size_t at = page.find("    " + first + "\n");
  REQUIRE(at != std::string::npos);
  std::string block;
  while (page.compare(at, 4, "    ") == 0 || page[at] == '\n') {
    const std::size_t end = page.find('\n', at) + 1;
    block += page[at] == '\n' ? "\n" : page.substr(at + 4, end - at - 4);
    at = end;
  }
  return block;
}

/// A program with its arguments, killed at the end of the test.
struct Running {
  explicit Running(std::vector<std::string> command) {
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    REQUIRE(::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) == 0);
  }
  ~Running() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  pid_t pid = 0;
};

}  // namespace

TEST_CASE("http reward: the service of docs/plugins_http.md works as it stands there") {
  const test::Bounded bounded;
  if (std::system("python3 -c pass 2>/dev/null") != 0) {
    MESSAGE("skipped: there is no python3");
    return;
  }
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  const std::string page = read_file(root / "docs/plugins_http.md");
  const test::Scratch scratch;
  const auto script = scratch.file("length_service.py", block_of(page, "# length_service.py"));
  const std::string port = std::to_string(test::closed_port());
  const Running service({"python3", script.string(), port});
  HttpRewardSpec spec;
  spec.name = "near_20";
  spec.service.url = "http://127.0.0.1:" + port + "/v1/score";
  spec.service.timeout = {40};
  spec.service.retries = 40;  // until it listens
  const std::vector<Episode> episodes{test::episode(std::string(20, 'x')), test::episode("short")};
  const std::vector<Score> scores = spec.make({})->score(episodes);
  REQUIRE(scores.size() == 2);
  CHECK_MESSAGE(scores[0].value == 0, scores[0].note);
  CHECK(scores[0].status == ScoreStatus::ok);
  CHECK(scores[1].value == -15);
}

}  // namespace hone
