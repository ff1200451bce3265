#include "plugin/wire.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace hone;

namespace {

Episode two_turns() {
  Episode episode;
  episode.prompt = {.id = 7, .text = "1+1=", .reference = Json::parse(R"({"answer": "2", "deep": [1, 2.5]})", "test")};
  episode.group = 3;
  episode.sample = 1;
  Turn first{.completion = {.ids = {5, 6}, .text = "3?"}, .reply = " no\n", .reward = -0.25};
  Turn last{.completion = {.ids = {9}, .text = "2 ß", .finish = FinishReason::length}};
  episode.turns = {first, last};
  return episode;
}

Score back(const Score& score) { return score_from_json(Json::parse(score_json(score).dump(), "test")); }

}  // namespace

TEST_CASE("wire: an episode comes back as it went") {
  const Json json = item_json(two_turns(), 9007199254740991ULL);
  const Item item = item_from_json(Json::parse(json.dump(), "test"));
  CHECK(item.seed == 9007199254740991ULL);
  CHECK(episode_seed(77, item.episode) == item.seed);  // whoever passes it on keeps it
  CHECK(item.episode.prompt.text == "1+1=");
  CHECK(item.episode.prompt.reference == two_turns().prompt.reference);
  CHECK(item.episode.group == 3);
  CHECK(item.episode.sample == 1);
  REQUIRE(item.episode.turns.size() == 2);
  CHECK(item.episode.turns[0].reply == " no\n");
  CHECK(item.episode.turns[0].reward == -0.25);
  CHECK(item.episode.turns[0].completion.ids == std::vector<std::int32_t>{5, 6});
  CHECK(item.episode.completion_text() == "2 ß");
  CHECK(item.episode.finish() == FinishReason::length);
}

TEST_CASE("wire: every form of a score comes back") {
  CHECK(score_json({.value = 0.1}).dump() == "0.1");
  CHECK(back({.value = 0.1}).value == 0.1);
  CHECK(back(Score::abstain("")).status == ScoreStatus::abstain);
  CHECK(std::isnan(back({.value = std::nan("")}).value));
  const Score failed = back(Score::error("no such file", "crash"));
  CHECK(failed.status == ScoreStatus::error);
  CHECK(failed.note == "no such file");
  CHECK(failed.reason == "crash");
  const Score rich = back({.value = 2, .parts = {{"a", 0.5}}, .note = "good", .spans = {{.turn = 1, .end_token = 4, .value = -1}}});
  CHECK(rich.value == 2);
  CHECK(rich.parts == std::vector<std::pair<std::string, double>>{{"a", 0.5}});
  CHECK(rich.note == "good");
  REQUIRE(rich.spans.size() == 1);
  CHECK(rich.spans[0].turn == 1);
  CHECK(rich.spans[0].end_token == 4);
  CHECK(rich.spans[0].value == -1);
}

TEST_CASE("wire: a bad score is an error of its item, never a value") {
  for (const char* text : {R"("0.5")", "[1]", R"({"parts": {}})", R"({"value": "x"})", R"({"status": "fine", "value": 1})",
                           R"({"value": 1, "spans": [[0, 1]]})"}) {
    CAPTURE(text);
    const Score score = score_from_json(Json::parse(text, "test"));
    CHECK(score.status == ScoreStatus::error);
    CHECK(score.reason == "protocol");
    CHECK_FALSE(score.note.empty());
  }
  CHECK(score_from_json(Json::parse(R"({"error": "why"})", "test")).reason == "exception");
}

TEST_CASE("wire: seeds are fixed by run, plug-in and episode, and readable in every language") {
  Episode episode = two_turns();
  const std::uint64_t seed = episode_seed(1, episode);
  CHECK(seed < (1ULL << 53));
  CHECK(seed == episode_seed(1, episode));
  CHECK(seed != episode_seed(2, episode));
  episode.visit = 2;
  CHECK(seed != episode_seed(1, episode));
}

TEST_CASE("wire: a step that failed comes back as a failure") {
  const Environment::Step failed{.done = true, .failure = "no such room"};
  CHECK(step_json(failed).dump() == R"({"error":"no such room"})");
  const Environment::Step back = step_from_json(step_json(failed));
  CHECK(back.done);
  CHECK(back.failure == "no such room");
}
