#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "plugin/http_reward.h"
#include "plugin/wire.h"
#include "tests/support/declared_fields.h"
#include "tests/support/episodes.h"
#include "tests/support/error_of.h"
#include "tests/support/fault_server.h"

/// The reward of kind `http`: what each dialect says and hears, and that a failure is never a zero.
namespace hone {

namespace {

using test::Bounded;
using test::FaultServer;
using test::Peer;

using Answer = std::function<std::string(const Json& request)>;

/// A service that answers each POST with what the function makes of it.
FaultServer::Handler service(Answer answer, std::vector<std::string>* seen = nullptr) {
  return [answer = std::move(answer), seen, mutex = std::make_shared<std::mutex>()](Peer& peer) {
    for (std::string request = peer.request(); !request.empty(); request = peer.request()) {
      const std::string body = test::body_of(request);
      if (seen != nullptr) {
        const std::lock_guard lock(*mutex);
        seen->push_back(body);
      }
      peer.reply(answer(Json::parse(body.empty() ? "null" : body, "the test's request")));
    }
  };
}

HttpRewardSpec spec_for(const FaultServer& server, HttpDialect dialect = HttpDialect::hone) {
  HttpRewardSpec spec;
  spec.kind = spec.name = "service";
  spec.service.url = server.url("/score");
  spec.service.timeout = {20};
  spec.service.retries = 1;
  spec.dialect = dialect;
  return spec;
}

std::vector<Score> scores_from(const HttpRewardSpec& spec, const std::vector<Episode>& episodes) {
  return spec.make({.seed = 7})->score(episodes);
}

/// One number an item: the length of its completion.
std::string lengths(const Json& request) {
  Json::Array scores;
  for (const Json& item : request.at("items").as_array()) {
    scores.emplace_back(static_cast<std::int64_t>(item.at("completion").as_string().size()));
  }
  Json reply = Json::object();
  reply.set("scores", std::move(scores));
  return reply.dump();
}

void check_all_errors(const std::vector<Score>& scores, std::size_t count, std::string_view reason, std::string_view part) {
  REQUIRE(scores.size() == count);
  for (const Score& score : scores) {
    CHECK(score.status == ScoreStatus::error);
    CHECK(score.reason == reason);
    CHECK_MESSAGE(score.note.find(part) != std::string::npos, score.note);
  }
}

}  // namespace

TEST_CASE("http reward: hone's own dialect, in batches") {
  const Bounded bounded;
  std::vector<std::string> seen;
  FaultServer server(service(lengths, &seen));
  HttpRewardSpec spec = spec_for(server);
  spec.batch = 2;
  const std::vector<Episode> episodes{test::episode("a", test::answer("x")), test::episode("bb"), test::episode("ccc")};
  const std::vector<Score> scores = scores_from(spec, episodes);
  REQUIRE(scores.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK_MESSAGE(scores[i].status == ScoreStatus::ok, scores[i].note);
    CHECK(scores[i].value == static_cast<double>(i + 1));
  }
  REQUIRE(seen.size() == 2);
  const Json first = Json::parse(seen[0], "seen");
  CHECK(first.at("protocol") == Json(plugin_protocol));
  CHECK(first.at("items").as_array().size() == 2);
  CHECK(first.at("items").as_array()[0].at("reference") == test::answer("x"));
  const std::uint64_t key = stream_key(7, "plugin/service");
  CHECK(first.at("items").as_array()[0].at("seed").as_integer() ==
        static_cast<std::int64_t>(episode_seed(key, episodes[0])));
  CHECK(Json::parse(seen[1], "seen").at("items").as_array().size() == 1);
}

TEST_CASE("http reward: abstentions, errors of single items, parts and NaN come through") {
  const Bounded bounded;
  FaultServer server(service([](const Json&) {
    return R"({"scores": [null, {"error": "no idea"}, {"value": 2, "parts": {"p": 1}, "note": "n"}, "NaN", "seven"]})";
  }));
  const std::vector<Score> scores = scores_from(spec_for(server), std::vector<Episode>(5, test::episode("x")));
  REQUIRE(scores.size() == 5);
  CHECK(scores[0].status == ScoreStatus::abstain);
  CHECK(scores[1].status == ScoreStatus::error);
  CHECK(scores[1].note == "no idea");
  CHECK(scores[2].value == 2);
  CHECK(scores[2].parts.size() == 1);
  CHECK(std::isnan(scores[3].value));
  CHECK(scores[4].status == ScoreStatus::error);
}

TEST_CASE("http reward: parallel lists") {
  const Bounded bounded;
  std::vector<std::string> seen;
  FaultServer server(service([](const Json&) { return R"({"scores": [0.5, 1.5]})"; }, &seen));
  Episode chat = test::episode("b");
  chat.prompt.text.clear();
  chat.prompt.messages = {{"system", "be kind"}, {"user", "hi"}};
  const std::vector<Score> scores =
      scores_from(spec_for(server, HttpDialect::lists), {test::episode("a", test::answer(1)), chat});
  CHECK(scores.at(1).value == 1.5);
  const Json request = Json::parse(seen.at(0), "seen");
  CHECK(request.at("prompts").dump() == R"(["prompt","system: be kind\nuser: hi\n"])");
  CHECK(request.at("completions").dump() == R"(["a","b"])");
  CHECK(request.at("references").dump() == R"([{"answer":1},null])");
  CHECK(request.at("metadata").as_array().at(0).find("seed") != nullptr);
}

TEST_CASE("http reward: OpenRLHF's dialect") {
  const Bounded bounded;
  std::vector<std::string> seen;
  FaultServer server(service(
      [](const Json&) {
        return R"({"rewards": [1, -0.5], "scores": [9, 9], "extra_logs": {"accuracy": [1, 0], "odd": [1], "word": "x"}})";
      },
      &seen));
  HttpRewardSpec spec = spec_for(server, HttpDialect::openrlhf);
  spec.key = "answer";
  Episode turns = test::episode("first", test::answer("l2"));
  turns.turns[0].reply = "|reply|";
  turns.turns.push_back(turns.turns[0]);
  turns.turns[1] = {};
  turns.turns[1].completion.text = "second";
  const std::vector<Score> scores = scores_from(spec, {test::episode("a", test::answer("l1")), turns});
  REQUIRE(scores.size() == 2);
  CHECK(scores[0].value == 1);
  CHECK(scores[1].value == -0.5);
  REQUIRE(scores[1].parts.size() == 1);
  CHECK(scores[1].parts[0].first == "accuracy");
  CHECK(scores[0].parts[0].second == 1);
  const Json request = Json::parse(seen.at(0), "seen");
  CHECK(request.at("query").dump() == R"(["prompta","promptfirst|reply|second"])");
  CHECK(request.at("prompts").dump() == R"(["prompt","prompt"])");
  CHECK(request.at("labels").dump() == R"(["l1","l2"])");
}

TEST_CASE("http reward: slime's dialect, an episode a request") {
  const Bounded bounded;
  std::vector<std::string> seen;
  FaultServer server(service(
      [](const Json& request) {
        return request.at("response") == Json("a") ? "0.25" : R"({"score": 1, "accuracy": 0.5, "detail": "x"})";
      },
      &seen));
  const auto reward = spec_for(server, HttpDialect::slime).make({});
  CHECK(reward->call_size() == 1);
  const std::vector<Episode> episodes{test::episode("a", Json("42")), test::episode("b")};
  const std::vector<Score> scores = reward->score(episodes);
  CHECK(scores.at(0).value == 0.25);
  CHECK(scores.at(1).value == 1);
  CHECK(scores.at(1).parts.at(0) == std::pair<std::string, double>("accuracy", 0.5));
  CHECK(Json::parse(seen.at(0), "seen").dump() == R"({"prompt":"prompt","response":"a","label":"42"})");
}

TEST_CASE("http reward: an episode without the label spoils no other") {
  const Bounded bounded;
  FaultServer server(service([](const Json& request) {
    return request.at("labels").as_array().size() == 1 ? R"({"rewards": [3]})" : R"({"rewards": []})";
  }));
  HttpRewardSpec spec = spec_for(server, HttpDialect::openrlhf);
  spec.key = "answer";
  const std::vector<Score> scores = scores_from(spec, {test::episode("a"), test::episode("b", test::answer(1))});
  REQUIRE(scores.size() == 2);
  CHECK(scores[0].status == ScoreStatus::error);
  CHECK(scores[0].note.find("no key \"answer\"") != std::string::npos);
  CHECK(scores[1].value == 3);
}

TEST_CASE("http reward: groups stay whole, batches too") {
  const Bounded bounded;
  std::vector<std::string> seen;
  FaultServer server(service(lengths, &seen));
  HttpRewardSpec spec = spec_for(server);
  spec.batch = 4;
  spec.scope = 1;
  std::vector<Episode> episodes;
  for (const std::int64_t group : {0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 2}) episodes.push_back(test::in_group(group, test::episode("x")));
  CHECK(scores_from(spec, episodes).size() == 11);
  std::vector<std::size_t> sizes;
  for (const std::string& body : seen) sizes.push_back(Json::parse(body, "seen").at("items").as_array().size());
  CHECK(sizes == std::vector<std::size_t>{3, 2, 6});
  seen.clear();
  spec.scope = 2;
  CHECK(spec.make({})->call_size() == 0);
  CHECK(scores_from(spec, episodes).size() == 11);
  CHECK(seen.size() == 1);
}

TEST_CASE("http faults: a wrong number of scores, HTML, and other replies that are no scores") {
  const Bounded bounded;
  struct Case {
    std::string body, why;
  };
  for (const auto& [body, why] : {Case{R"({"scores": [1]})", "expected 2 scores, got 1"},
                                  Case{R"({"scores": [1, 2, 3]})", "expected 2 scores, got 3"},
                                  Case{R"({"scores": {"0": 1}})", "expected {\"scores\": [2 numbers]}"},
                                  Case{"<!DOCTYPE html><title>Sign in</title>", "<!DOCTYPE html><title>Sign in</title>"},
                                  Case{"", "the reply"}, Case{"[1, 2", "the reply"},
                                  Case{R"({"error": "out of memory"})", "out of memory"},
                                  Case{std::string(100000, '['), "the reply"}}) {
    CAPTURE(body.substr(0, 60));
    FaultServer server([&](Peer& peer) {
      while (!peer.request().empty()) peer.reply(body);
    });
    check_all_errors(scores_from(spec_for(server), {test::episode("a"), test::episode("b")}), 2, "protocol", why);
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("http reward: tells how often it had to ask again") {
  const Bounded bounded;
  std::atomic<int> requests = 0;
  FaultServer server([&](Peer& peer) {
    while (!peer.request().empty()) {
      ++requests % 2 == 1 ? peer.reply("", "503 Service Unavailable") : peer.reply(R"({"scores": [1]})");
    }
  });
  const auto reward = spec_for(server).make({});
  using Metrics = std::vector<std::pair<std::string, double>>;
  const std::vector<Episode> episodes{test::episode("a")};
  CHECK(reward->score(episodes).at(0).value == 1);
  CHECK(reward->score(episodes).at(0).value == 1);
  CHECK(reward->take_metrics() == Metrics{{"retries", 2}, {"connects", 1}});
  CHECK(reward->take_metrics() == Metrics{{"retries", 0}, {"connects", 0}});
}

TEST_CASE("http faults: a service that is away makes errors, not zeros") {
  const Bounded bounded;
  HttpRewardSpec spec;
  spec.name = "away";
  spec.service.url = "http://127.0.0.1:" + std::to_string(test::closed_port()) + "/";
  spec.service.retries = 0;
  check_all_errors(scores_from(spec, {test::episode("a"), test::episode("b")}), 2, "http", "Connection refused");
}

TEST_CASE("http reward: the token comes from the environment") {
  const Bounded bounded;
  std::string authorization;
  FaultServer server([&](Peer& peer) {
    authorization = test::header_of(peer.request(), "Authorization");
    peer.reply(R"({"scores": [1]})");
  });
  HttpRewardSpec spec = spec_for(server);
  spec.service.token_env = "HONE_TEST_HTTP_TOKEN";
  ::unsetenv("HONE_TEST_HTTP_TOKEN");
  HONE_CHECK_ERROR(config, spec.make({}), "HONE_TEST_HTTP_TOKEN", "not set");
  ::setenv("HONE_TEST_HTTP_TOKEN", "a\r\nX: y", 1);
  HONE_CHECK_ERROR(config, spec.make({}), "white space");
  ::setenv("HONE_TEST_HTTP_TOKEN", "abc", 1);
  CHECK(scores_from(spec, {test::episode("a")}).at(0).value == 1);
  CHECK(authorization == "Bearer abc");
  ::unsetenv("HONE_TEST_HTTP_TOKEN");
}

TEST_CASE("http reward: the health of a service is asked for before the run") {
  const Bounded bounded;
  std::string status = "200 OK", body = R"({"status": "ok", "scope": "group"})";
  FaultServer server([&](Peer& peer) {
    for (std::string request = peer.request(); !request.empty(); request = peer.request()) {
      request.starts_with("GET /health ") ? peer.reply(body, status) : peer.reply("", "404 Not Found");
    }
  });
  HttpRewardSpec spec = spec_for(server);
  spec.health = "/health";
  HONE_CHECK_ERROR(config, spec.make({}), "scope: group");
  spec.scope = 1;
  CHECK(spec.make({})->scope() == RewardScope::group);
  body = "fine";
  CHECK(spec.make({}) != nullptr);
  status = "404 Not Found";
  HONE_CHECK_ERROR(service, spec.make({}), "GET http://127.0.0.1:", "404 Not Found");
}

TEST_CASE("http reward: its fields") {
  HttpRewardSpec spec;
  CHECK(test::DeclaredFields::problems(spec) == std::vector<std::string>{});
  spec.service.url = "gopher://x/";
  HONE_CHECK_ERROR(config, spec.make({}), "gopher://x/", "expected http://");
  spec.dialect = HttpDialect::slime;
  spec.scope = 1;
  spec.health = "health";
  CHECK(test::DeclaredFields::problems(spec).size() == 2);
}

}  // namespace hone
