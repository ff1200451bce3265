#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "plugin/child.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr double late = 0.5;  // the timeout of those that never reply
constexpr double bound_seconds = 15;  // far beyond every timeout here: a hang, not a slow machine

/// Scores three episodes, once; afterwards nothing of the child may be left.
std::vector<Score> scored(const std::string& body, double timeout = 20, std::vector<std::string> texts = {"a", "b", "c"}) {
  const std::string marker = "hone-fault-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
  std::vector<Score> scores;
  const auto start = std::chrono::steady_clock::now();
  {
    PoolOptions options;
    options.timeout = {timeout};
    options.max_reply = {1 << 20};
    const auto reward = pool_of(python_child(body, marker), options);
    scores = reward->score(completions(texts));
  }
  CHECK(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < bound_seconds);
  CHECK(processes_with(marker) == 0);
  return scores;
}

void all_failed(const std::vector<Score>& scores, const std::string& reason, const std::string& part = "") {
  REQUIRE(scores.size() == 3);
  for (const Score& score : scores) {
    INFO(score.note);
    CHECK(score.status == ScoreStatus::error);
    CHECK(score.reason == reason);
    CHECK(score.note.find(part) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("faults: a child that never replies is late, and gone") {
  all_failed(scored("time.sleep(1000)", late), "timeout", "too long");
  all_failed(scored("while True: pass", late), "timeout");
  all_failed(scored("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
                    "time.sleep(1000)", late),
             "timeout");
  all_failed(scored("os.kill(os.getpid(), signal.SIGSTOP)", late), "timeout");
}

TEST_CASE("faults: a child that dies says how, and costs only the episode that kills it") {
  all_failed(scored("os.abort()", 20), "crash", "signal 6");
  all_failed(scored("os.kill(os.getpid(), signal.SIGSEGV)", 20), "crash", "signal 11");
  all_failed(scored("print('my last words', file=sys.stderr, flush=True)\nsys.exit(3)", 20), "crash",
             "exit code 3; its last lines: my last words");
  const std::vector<Score> scores = scored(
      "if any(i['completion'] == 'bad' for i in items): os.abort()\nanswer([1 for i in items])", 20,
      {"a", "b", "c", "d", "e", "bad", "f", "g", "h"});
  REQUIRE(scores.size() == 9);
  for (std::size_t i = 0; i < 9; ++i) CHECK(scores[i].status == (i == 5 ? ScoreStatus::error : ScoreStatus::ok));
  CHECK(scores[5].reason == "crash");
}

TEST_CASE("faults: a child that leaks is stopped by its limit") {
  PoolOptions options;
  options.timeout = {20};
  options.max_memory = {512 << 20};
  const auto reward = pool_of(python_child("if items[0]['completion'] == 'leak':\n    kept = []\n    while True: kept.append(b'x' * (1 << 24))\n"
                                           "answer([1 for i in items])"),
                              options);
  const Score leaked = reward->score(completions({"leak"}))[0];
  CHECK(leaked.reason == "crash");
  CHECK(leaked.note.find("MemoryError") != std::string::npos);
  CHECK(reward->score(completions({"fine"}))[0].value == 1);
}

TEST_CASE("faults: replies that are not of the protocol") {
  all_failed(scored("raw('no json at all\\n')"), "protocol", "no json at all");
  all_failed(scored("raw('\\x00\\x01\\x02\\n')"), "protocol");
  all_failed(scored("raw('[1, 2, 3]\\n')"), "protocol");
  all_failed(scored("raw('{\"id\": 1, \"scores\": [1, 2, 3]}')\ntime.sleep(1000)", late), "timeout");  // no end of line
  all_failed(scored("reply({'id': request['id']})"), "protocol", "list of score");
  all_failed(scored("answer([1, 2])"), "protocol", "replied 2");
  all_failed(scored("answer([1, 2, 3, 4])"), "protocol", "replied 4");
  all_failed(scored("reply({'id': request['id'], 'error': 'out of memory'})"), "exception", "out of memory");
  all_failed(scored("raw('x' * (1 << 22))\ntime.sleep(1000)", 10), "protocol", "max_reply");
  all_failed(scored("while True: raw('x' * (1 << 16))", 10), "protocol", "max_reply");
  const std::vector<Score> mixed = scored("answer([1, 'good', [2]])");
  CHECK(mixed[0].value == 1);
  CHECK(mixed[1].reason == "protocol");
  CHECK(mixed[2].reason == "protocol");
}

TEST_CASE("faults: ids that are missing, doubled, of the future") {
  all_failed(scored("reply({'scores': [1, 2, 3]})"), "protocol", "nothing that was asked");
  all_failed(scored("reply({'id': 99, 'scores': [1, 2, 3]})"), "protocol", "nothing that was asked");
  PoolOptions options;
  options.timeout = {20};
  const auto reward = pool_of(python_child("answer([len(i['completion']) for i in items])\n"
                                           "reply({'id': request['id'], 'scores': [77 for i in items]})"),
                              options);
  for (int i = 1; i < 5; ++i) {  // every reply comes twice; the second is never taken for the next one's
    CHECK(reward->score(completions({std::string(static_cast<std::size_t>(i), 'x')}))[0].value == i);
  }
}

TEST_CASE("faults: descriptors that are closed or kept by others") {
  all_failed(scored("out.close()\ntime.sleep(1000)"), "crash", "closed its replies");
  const std::vector<Score> without_stdin = scored("os.close(0)\nanswer([1 for i in items])\ntime.sleep(1000)", 10);
  for (const Score& score : without_stdin) CHECK(score.value == 1);
  // A grandchild holds every pipe and has left the process group; it is found and killed.
  const std::string keep =
      "if os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\n";
  const std::vector<Score> held = scored(keep + "answer([1 for i in items])", 10);
  for (const Score& score : held) CHECK(score.value == 1);
  all_failed(scored(keep + "os._exit(4)", 20), "crash", "exit code 4");
}

TEST_CASE("faults: output without end does not fill the log, and numbers of every size arrive") {
  const std::vector<Score> flood = scored("for i in range(20000): print('spam', i)\nanswer([1e308, -1e308, 5e-324])", 20);
  CHECK(flood[0].value == 1e308);
  CHECK(flood[1].value == -1e308);
  CHECK(flood[2].value == 5e-324);
  const std::vector<Score> odd = scored("raw('{\"id\": 1, \"scores\": [\"NaN\", null, {\"value\": null}]}\\n')");
  CHECK(std::isnan(odd[0].value));
  CHECK(odd[1].status == ScoreStatus::abstain);
  CHECK(std::isnan(odd[2].value));
}

TEST_CASE("faults: the process is started again after a failure, and the pool goes on") {
  PoolOptions options;
  options.timeout = {2};
  const auto reward = pool_of(
      python_child("if items[0]['completion'] == 'hang': time.sleep(1000)\nanswer([2 for i in items])"), options);
  CHECK(reward->score(completions({"hang"}))[0].reason == "timeout");
  CHECK(reward->score(completions({"fine"}))[0].value == 2);
  const auto metrics = reward->take_metrics();
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0] == std::pair<std::string, double>{"restarts", 1});
}

TEST_CASE("faults: several workers serve several callers, each its own answers") {
  PoolOptions options;
  options.workers = 4;
  options.timeout = {20};
  const auto reward = pool_of(
      python_child("time.sleep(random.random() / 50)\nanswer([len(i['completion']) for i in items])"), options);
  std::vector<std::thread> callers;
  std::vector<int> wrong(8, 0);
  for (std::size_t caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&, caller] {
      for (std::size_t turn = 1; turn < 10; ++turn) {
        const std::size_t length = caller * 10 + turn;
        const std::vector<Score> scores = reward->score(completions({std::string(length, 'x'), std::string(length + 1, 'y')}));
        wrong[caller] += scores[0].value != static_cast<double>(length) || scores[1].value != static_cast<double>(length + 1);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const int count : wrong) CHECK(count == 0);
}
