#include <doctest/doctest.h>

#include <algorithm>

#include "plugin/http_reward.h"
#include "server/reward_server.h"
#include "server/score_request.h"
#include "tests/conformance/reward_conformance.h"
#include "tests/rollout/function_reward.h"
#include "tests/support/episodes.h"
#include "tests/support/error_of.h"
#include "tests/support/fault_server.h"

namespace hone {

namespace {

using test::Bounded;

/// A reward that is a function, with any number of calls at once.
struct Scorer : Reward {
  explicit Scorer(test::ScoreAll its_function, std::int64_t its_calls = 0) : function(std::move(its_function)), calls(its_calls) {}
  std::int64_t calls_at_once() const override { return calls; }
  RewardScope scope() const override { return its_scope; }
  std::vector<Score> score(std::span<const Episode> episodes) override { return function(episodes); }
  test::ScoreAll function;
  std::int64_t calls;
  RewardScope its_scope = RewardScope::sample;
};

std::vector<Score> lengths(std::span<const Episode> episodes) {
  std::vector<Score> scores;
  for (const Episode& episode : episodes) scores.push_back({.value = static_cast<double>(episode.completion_text().size())});
  return scores;
}

/// A server on a thread of its own, stopped at the end of the test.
struct Serving {
  explicit Serving(Reward& reward, RewardServer::Options options = {}) : server(reward, options), thread([this] { server.run(); }) {}
  ~Serving() { stop(); }
  void stop() {
    server.stop();
    if (thread.joinable()) thread.join();
  }
  std::string url(std::string_view path = "/v1/score") const {
    return "http://127.0.0.1:" + std::to_string(server.port()) + std::string(path);
  }
  HttpOptions client() const { return {.url = parse_url(url()), .timeout = 20, .retries = 0}; }

  RewardServer server;
  std::thread thread;
};

int connect_to(const Serving& serving) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(serving.server.port());
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

/// What comes back for raw bytes, until the server closes.
std::string answer_to(const Serving& serving, std::string_view bytes, bool end = true) {
  const int fd = connect_to(serving);
  ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (end) ::shutdown(fd, SHUT_WR);
  std::string text(1 << 20, '\0');
  std::size_t size = 0;
  for (ssize_t count = 1; count > 0; size += static_cast<std::size_t>(count)) {
    count = std::max<ssize_t>(0, ::recv(fd, text.data() + size, text.size() - size, 0));
  }
  ::close(fd);
  return text.substr(0, size);
}

}  // namespace

TEST_CASE("reward server: hone's own client scores through it as the reward itself does") {
  const Bounded bounded;
  for (const std::int64_t calls : {0, 4}) {
    Scorer scorer(lengths, calls);
    Serving serving(scorer);
    HttpRewardSpec spec;
    spec.name = "remote";
    spec.service.url = serving.url();
    spec.health = "/health";
    spec.batch = 7;
    std::vector<Episode> episodes;
    for (std::size_t i = 0; i < 50; ++i) episodes.push_back(test::episode(std::string(i, 'x'), test::answer("a")));
    for (const HttpDialect dialect : {HttpDialect::hone, HttpDialect::lists}) {
      spec.dialect = dialect;
      const std::vector<Score> scores = spec.make({})->score(episodes);
      REQUIRE(scores.size() == 50);
      for (std::size_t i = 0; i < 50; ++i) CHECK_MESSAGE(scores[i].value == static_cast<double>(i), scores[i].note);
    }
    CHECK(serving.server.counts().scored == 100);
  }
}

TEST_CASE("reward server: a reward behind it keeps the rules of every reward") {
  const Bounded bounded;
  Scorer scorer(lengths, 2);
  Serving serving(scorer);
  HttpRewardSpec spec;
  spec.service.url = serving.url();
  test::check_reward(spec, {.seed = 1}, {test::episode("a"), test::episode("\xC3\xBC", test::answer(2))});
}

TEST_CASE("reward server: both forms of a request become the same episodes") {
  const std::vector<Episode> items = read_score_request(
      R"({"protocol": 1, "items": [{"prompt": "p", "completion": "c", "reference": {"answer": 1}, "group": 3, "finish": "length"},
          {"messages": [{"role": "user", "content": "u"}], "turns": [{"completion": "a", "reply": "b"}, {"completion": "c"}]}]})");
  REQUIRE(items.size() == 2);
  CHECK(items[0].prompt.text == "p");
  CHECK(items[0].completion_text() == "c");
  CHECK(items[0].prompt.reference == test::answer(1));
  CHECK(items[0].group == 3);
  CHECK(items[0].finish() == FinishReason::length);
  CHECK(items[1].prompt.messages.at(0).content == "u");
  CHECK(items[1].turns.size() == 2);

  const std::vector<Episode> lists = read_score_request(
      R"({"prompts": ["p", [{"role": "user", "content": "u"}], "p"], "completions": ["c", "d", "e"], "references": [{"answer": 1}, null, 2],
          "metadata": [{"finish": "length"}, {}, null]})");
  REQUIRE(lists.size() == 3);
  CHECK(lists[0].prompt.text == "p");
  CHECK(lists[0].finish() == FinishReason::length);
  CHECK(lists[0].prompt.reference == test::answer(1));
  CHECK(lists[1].prompt.messages.at(0).content == "u");
  CHECK(lists[2].completion_text() == "e");
  CHECK(lists[0].group == lists[2].group);
  CHECK(lists[0].group != lists[1].group);

  HONE_CHECK_ERROR(data, read_score_request("{}"), "completions");
  HONE_CHECK_ERROR(data, read_score_request("[]"), "array");
  HONE_CHECK_ERROR(data, read_score_request(R"({"protocol": 2, "items": []})"), "expected 1, got 2");
  HONE_CHECK_ERROR(data, read_score_request(R"({"items": [{"completion": "c"}, {"prompt": "p"}]})"), "item 2 of 2", "completion");
  HONE_CHECK_ERROR(data, read_score_request(R"({"prompts": ["a"], "completions": ["a", "b"]})"), "prompts", "list of 2");
}

TEST_CASE("reward server: exceptions and wrong counts are errors of every episode") {
  const Bounded bounded;
  Scorer scorer([](std::span<const Episode> episodes) -> std::vector<Score> {
    if (episodes.size() == 1) throw std::runtime_error("boom");
    return {};
  });
  Serving serving(scorer);
  HttpClient client(serving.client());
  const HttpReply one = client.post(R"({"completions": ["a"]})");
  CHECK(one.body == R"({"scores":[{"status":"error","note":"boom","reason":"exception"}]})");
  const HttpReply two = client.post(R"({"completions": ["a", "b"]})");
  CHECK(two.body.find("returned 0 scores for 2 episodes") != std::string::npos);
}

TEST_CASE("reward server: bad requests get the status that says why, and the server lives") {
  const Bounded bounded;
  Scorer scorer(lengths);
  Serving serving(scorer, {.token = "t0ken", .max_body = 1000});
  const auto status_of = [&](std::string_view bytes) {
    const std::string answer = answer_to(serving, bytes);
    return answer.size() > 12 ? answer.substr(9, 3) : answer;
  };
  const std::string host = " HTTP/1.1\r\nHost: x\r\n", token = "Authorization: Bearer t0ken\r\n";
  CHECK(status_of("GET /health" + host + "\r\n") == "200");
  CHECK(status_of("POST /health" + host + "\r\n") == "405");
  CHECK(status_of("GET /v1/score" + host + token + "\r\n") == "405");
  CHECK(status_of("GET /" + host + "\r\n") == "404");
  CHECK(status_of("POST /v1/score" + host + "Content-Length: 2\r\n\r\n{}") == "401");
  CHECK(status_of("POST /v1/score" + host + "Authorization: Bearer t0kem\r\nContent-Length: 2\r\n\r\n{}") == "401");
  CHECK(status_of("POST /v1/score" + host + "Authorization: Bearer t0\r\nContent-Length: 2\r\n\r\n{}") == "401");
  CHECK(status_of("POST /v1/score" + host + token + "Content-Length: 2\r\n\r\n{}") == "400");
  CHECK(status_of("POST /v1/score" + host + token + "Content-Length: 5\r\n\r\nhello") == "400");
  CHECK(status_of("POST /v1/score" + host + token + "Content-Length: 10000000000\r\n\r\n" + std::string(5000, 'x')) == "413");
  CHECK(status_of("POST /v1/score" + host + token + "Transfer-Encoding: chunked\r\n\r\n1000\r\n" + std::string(4096, 'x')) == "413");
  CHECK(status_of("POST /v1/score" + host + token + "Content-Length: five\r\n\r\n") == "400");
  CHECK(status_of("nonsense\r\n\r\n") == "400");
  CHECK(status_of("GET /health" + host + "X: " + std::string(100000, 'y') + "\r\n\r\n") == "400");
  CHECK(status_of("POST /v1/score" + host + token + "Content-Length: 50\r\n\r\n{") == "");
  const std::string good = R"({"completions": ["abc"]})";
  const std::string answer = answer_to(serving, "POST /v1/score" + host + token + "Expect: 100-continue\r\nContent-Length: " +
                                                    std::to_string(good.size()) + "\r\n\r\n" + good);
  CHECK(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
  CHECK(answer.ends_with("{\"scores\":[3.0]}"));
}

TEST_CASE("reward server: those who say nothing, or not enough, are put out") {
  const Bounded bounded;
  Scorer scorer(lengths);
  Serving serving(scorer, {.idle_seconds = 0.3});
  CHECK(answer_to(serving, "", false).empty());
  CHECK(answer_to(serving, "POST /v1/sc", false).empty());
  CHECK(answer_to(serving, "POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{", false).empty());
  CHECK(answer_to(serving, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", false).starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("reward server: more connections than it takes wait their turn") {
  const Bounded bounded;
  Scorer scorer(lengths);
  Serving serving(scorer, {.most_connections = 2, .idle_seconds = 1});
  const int first = connect_to(serving), second = connect_to(serving);
  HttpClient client(serving.client());
  CHECK(client.get("/health").ok());  // once the idle ones were put out
  ::close(first);
  ::close(second);
}

TEST_CASE("reward server: a full queue says when to come back, and the client does") {
  const Bounded bounded;
  std::atomic<int> now = 0, most = 0;
  Scorer scorer(
      [&](std::span<const Episode> episodes) {
        most = std::max<int>(most, ++now);
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        --now;
        return lengths(episodes);
      },
      1);
  Serving serving(scorer, {.most_waiting = 1});
  HttpOptions options = serving.client();
  options.retries = 20;
  HttpClient client(options);
  std::atomic<int> good = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([&, i] { good += client.post(R"({"completions": [")" + std::to_string(i) + R"("]})").ok(); });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(good == 6);
  CHECK(most == 1);
  CHECK(serving.server.counts().scored == 6);
  CHECK(serving.server.counts().refused >= 1);
}

TEST_CASE("reward server: a request sent again is not scored again") {
  const Bounded bounded;
  std::atomic<int> calls = 0;
  Scorer scorer(
      [&](std::span<const Episode> episodes) {
        ++calls;
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        std::vector<Score> scores = lengths(episodes);
        if (episodes[0].completion_text() == "bad") scores[0] = Score::error("not now");
        return scores;
      },
      4);
  Serving serving(scorer);
  HttpClient client(serving.client());
  const std::string body = R"({"completions": ["abc"]})";
  std::vector<std::string> replies(3);
  std::vector<std::thread> callers;
  for (std::string& reply : replies) callers.emplace_back([&] { reply = client.post(body).body; });
  for (std::thread& caller : callers) caller.join();
  replies.push_back(client.post(body).body);
  for (const std::string& reply : replies) CHECK(reply == "{\"scores\":[3.0]}");
  CHECK(calls == 1);
  client.post(R"({"completions": ["other"]})");
  CHECK(calls == 2);
  client.post(R"({"completions": ["bad"]})");
  client.post(R"({"completions": ["bad"]})");
  CHECK(calls == 4);  // an error is no answer to keep
}

TEST_CASE("reward server: stopping finishes what was begun and closes what is idle") {
  const Bounded bounded;
  std::atomic<bool> begun = false;
  Scorer scorer(
      [&](std::span<const Episode> episodes) {
        begun = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        return lengths(episodes);
      },
      1);
  Serving serving(scorer);
  HttpClient client(serving.client());
  CHECK(client.get("/health").ok());  // leaves an idle connection
  HttpReply reply;
  std::thread caller([&] { reply = client.post(R"({"completions": ["abc"]})"); });
  while (!begun) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto start = std::chrono::steady_clock::now();
  serving.stop();
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  caller.join();
  CHECK_MESSAGE(reply.body == "{\"scores\":[3.0]}", reply.error);
  CHECK(client.post("{}").reason == "http");
}

TEST_CASE("reward server: an address that cannot be had is named") {
  Scorer scorer(lengths);
  RewardServer first(scorer, {});
  const std::string port = std::to_string(first.port());
  HONE_CHECK_ERROR(io, RewardServer(scorer, {.port = first.port()}), "127.0.0.1", port);
  HONE_CHECK_ERROR(config, RewardServer(scorer, {.address = "localhost"}), "localhost");
}

}  // namespace hone
