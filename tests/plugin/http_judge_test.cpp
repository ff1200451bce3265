#include <doctest/doctest.h>

#include "plugin/http/verdict.h"
#include "plugin/judge_reward.h"
#include "tests/support/declared_fields.h"
#include "tests/support/episodes.h"
#include "tests/support/error_of.h"
#include "tests/support/fault_server.h"

namespace hone {

namespace {

using test::Bounded;
using test::FaultServer;
using test::Peer;

std::string chat_reply(std::string_view content, std::string_view finish = "stop") {
  Json message = Json::object();
  message.set("role", "assistant");
  message.set("content", content);
  Json choice = Json::object();
  choice.set("index", 0);
  choice.set("message", std::move(message));
  choice.set("finish_reason", finish);
  Json reply = Json::object();
  reply.set("object", "chat.completion");
  reply.set("choices", Json::Array{choice});
  return reply.dump();
}

JudgeRewardSpec spec_for(const FaultServer& server) {
  JudgeRewardSpec spec;
  spec.name = "judge";
  spec.service.url = server.url("/v1/chat/completions");
  spec.service.timeout = {20};
  spec.service.retries = 0;
  spec.model = "judge-7b";
  spec.prompt = "Q: {prompt}\nA: {completion}\nTrue answer: {reference}\nAnswer with {\"score\": n}.";
  spec.json_key = "score";
  return spec;
}

}  // namespace

TEST_CASE("judge: the template is filled in one pass") {
  const Episode episode = test::episode("{reference} {prompt}", test::answer("42"));
  CHECK(fill_template("{prompt}|{completion}|{reference}", episode) == "prompt|{reference} {prompt}|{\"answer\":\"42\"}");
  CHECK(fill_template("{\"score\": {completion}} {x} {", test::episode("c")) == "{\"score\": c} {x} {");
  CHECK(fill_template("{reference}", test::episode("c", Json("plain"))) == "plain");
  CHECK(fill_template("<{reference}>", test::episode("c")) == "<>");
  CHECK(fill_template("", episode).empty());
}

TEST_CASE("judge: the last match of a pattern is the score") {
  const VerdictReader reader("Score: *(-?[0-9.]+)", "", 0, 10);
  CHECK(reader.read("Score: 3 at first sight. Score: 7.5").value == 7.5);
  CHECK(reader.read("Score:0").value == 0);
  CHECK(reader.read("good. Score: 9").note == "good. Score: 9");
  for (const char* bad : {"", "no score", "Score: 11", "Score: -1", "Score: ...", "Score: 1.2.3"}) {
    const Score score = reader.read(bad);
    CHECK_MESSAGE(score.status == ScoreStatus::error, bad);
    CHECK(score.reason == "protocol");
  }
  CHECK(reader.read("Score: 11").note.find("expected a score from 0 to 10, got 11") != std::string::npos);
  CHECK(VerdictReader("(y)|9", "", 0, 10).read("9").status == ScoreStatus::error);
}

TEST_CASE("judge: a pattern that would take forever gives up") {
  const Bounded bounded;
  const VerdictReader reader("(?:(?:a+)+)+[bc]([0-9])", "", 0, 10);
  const Score score = reader.read(std::string(5000, 'a'));
  CHECK(score.status == ScoreStatus::error);
  CHECK_MESSAGE(score.note.find("gave up") != std::string::npos, score.note);
}

TEST_CASE("judge: a key of the JSON that it writes") {
  const VerdictReader reader("", "score", 1, 5);
  CHECK(reader.read(R"({"score": 4, "why": "x"})").value == 4);
  CHECK(reader.read("Sure!\n```json\n{\"why\": \"{}\", \"score\": \"3.5\"}\n```\nBye").value == 3.5);
  for (const char* bad : {"", "4", "{", "}{", R"({"points": 4})", R"({"score": [4]})", R"({"score": null})", R"({"score": 6})",
                          R"({"score": "4/5"})", R"({"score": 4)"}) {
    CHECK_MESSAGE(reader.read(bad).status == ScoreStatus::error, bad);
  }
  CHECK(reader.read("\xFF {\"score\": 2}").value == 2);
}

TEST_CASE("judge: bad settings") {
  HONE_CHECK_ERROR(config, VerdictReader("", "", 0, 1), "neither");
  HONE_CHECK_ERROR(config, VerdictReader("(x)", "k", 0, 1), "both");
  HONE_CHECK_ERROR(config, VerdictReader("x", "", 0, 1), "expected one group", "got 0");
  HONE_CHECK_ERROR(config, VerdictReader("(a)(b)", "", 0, 1), "got 2");
  HONE_CHECK_ERROR(config, VerdictReader("(a", "", 0, 1), "at character");
  HONE_CHECK_ERROR(config, VerdictReader("(a)", "", 2, 1), "low");
  JudgeRewardSpec spec;
  CHECK(test::DeclaredFields::problems(spec) == std::vector<std::string>{});
  spec.prompt = "Is it good?";
  CHECK(test::DeclaredFields::problems(spec).size() == 1);
}

TEST_CASE("judge: asks an OpenAI-compatible endpoint, greedily and with the episode's seed") {
  const Bounded bounded;
  std::string seen;
  FaultServer server([&](Peer& peer) {
    for (std::string request = peer.request(); !request.empty(); request = peer.request()) {
      seen = request;
      peer.reply(chat_reply("{\"score\": 8}"));
    }
  });
  JudgeRewardSpec spec = spec_for(server);
  spec.system = "You are a judge.";
  const auto reward = spec.make({.seed = 3});
  CHECK(reward->call_size() == 1);
  CHECK(reward->calls_at_once() == 8);
  const std::vector<Episode> episodes{test::episode("4", Json("5"))};
  const std::vector<Score> scores = reward->score(episodes);
  CHECK_MESSAGE(scores.at(0).value == 8, scores.at(0).note);
  CHECK(seen.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
  const Json request = Json::parse(test::body_of(seen), "seen");
  CHECK(request.at("model") == Json("judge-7b"));
  CHECK(request.at("temperature").as_number() == 0);
  CHECK(request.at("max_tokens").as_integer() == 512);
  CHECK(request.at("seed").as_integer() ==
        static_cast<std::int64_t>(episode_seed(stream_key(3, "plugin/judge"), episodes[0])));
  CHECK(request.at("messages").dump() ==
        R"([{"role":"system","content":"You are a judge."},)"
        R"({"role":"user","content":"Q: prompt\nA: 4\nTrue answer: 5\nAnswer with {\"score\": n}."}])");
}

TEST_CASE("judge: replies that hold no verdict are errors that quote it") {
  const Bounded bounded;
  struct Case {
    std::string body, why;
  };
  for (const auto& [body, why] :
       {Case{chat_reply("I would rather not"), "I would rather not"}, Case{chat_reply("Let me thi", "length"), "max_tokens: 512"},
        Case{R"({"choices": []})", "no choices"}, Case{R"({"object": "error"})", "choices"}, Case{"<html>", "<html>"},
        Case{R"({"choices": [{"message": {"content": null}}]})", "none"}}) {
    CAPTURE(body);
    FaultServer server([&](Peer& peer) {
      while (!peer.request().empty()) peer.reply(body);
    });
    const std::vector<Episode> episodes{test::episode("4")};
    const Score score = spec_for(server).make({})->score(episodes).at(0);
    CHECK(score.status == ScoreStatus::error);
    CHECK(score.reason == "protocol");
    CHECK_MESSAGE(score.note.find(why) != std::string::npos, score.note);
  }
}

}  // namespace hone
