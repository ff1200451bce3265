#include "rollout/record.h"

#include <algorithm>
#include <fstream>
#include <functional>

#include "base/random.h"
#include "engine/tiny_model.h"
#include "envs/skeleton.h"
#include "rollout/collect.h"
#include "rollout/replay.h"
#include "support/scratch.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Two iterations of two prompts with two samples each, of a random model that plays the guessing game.
struct Rollouts {
  explicit Rollouts(bool truncated_sampling = false) {
    SkeletonEnvSpec spec;
    spec.turns = 3;
    environment = spec.make({.seed = 3});
    Engine engine(*tiny.model, *tiny.tokenizer, {});
    SamplingConfig sampling{.temperature = 0.9, .max_tokens = 4};
    if (truncated_sampling) sampling.top_k = 20;
    for (std::uint64_t visit = 1; visit <= 2; ++visit) {
      iterations.push_back(collect(engine, *tiny.tokenizer, *environment, std::vector<std::uint64_t>{visit, 5},
                                   sampling, {.samples = 2, .key = 11, .visit = visit}));
      Random random(visit);
      for (Episode& episode : iterations.back()) {
        episode.score = {.value = random.normal() / 3, .parts = {{"close", random.normal()}, {"short", 0.1}}};
        episode.score.spans = {{1, 2, random.normal()}};
      }
      iterations.back()[1].score = Score::error("the judge said \"no\"\n");
    }
  }

  std::filesystem::path write(std::int64_t kept = 0) const {
    RolloutRecord record(file(), kept);
    for (std::size_t i = static_cast<std::size_t>(kept); i < iterations.size(); ++i) {
      record.write(static_cast<std::int64_t>(i) + 1, iterations[i]);
    }
    return file();
  }
  std::filesystem::path file() const { return scratch.path() / "made" / "rollouts.jsonl"; }
  RolloutReplay replay(const std::filesystem::path& path, std::int64_t its = 2, std::int64_t episodes = 4,
                       std::int64_t context = 96) const {
    return {path,
            *environment,
            *tiny.tokenizer,
            {.iterations = its, .episodes = episodes, .samples = 2, .context = context}};
  }
  /// The record with one line changed by `change`.
  std::filesystem::path with(std::size_t line, const std::function<void(Json&)>& change) const {
    std::string text;
    std::size_t number = 0;
    for (std::size_t i = 0; i < iterations.size(); ++i) {
      for (const Episode& episode : iterations[i]) {
        Json json = record_json(static_cast<std::int64_t>(i) + 1, episode);
        if (++number == line) change(json);
        text += json.dump() + "\n";
      }
    }
    return scratch.file("changed.jsonl", text);
  }

  TinyModel tiny;
  Scratch scratch;
  std::unique_ptr<Environment> environment;
  std::vector<std::vector<Episode>> iterations;
};

void check_same(const Episode& read, const Episode& written) {
  CHECK(read.prompt.id == written.prompt.id);
  CHECK(read.prompt.reference == written.prompt.reference);
  CHECK(read.prompt_ids == written.prompt_ids);
  CHECK(read.group == written.group);
  CHECK(read.sample == written.sample);
  CHECK(read.visit == written.visit);
  REQUIRE(read.turns.size() == written.turns.size());
  for (std::size_t i = 0; i < read.turns.size(); ++i) {
    CHECK(same(read.turns[i].completion, written.turns[i].completion));
    CHECK(read.turns[i].reply == written.turns[i].reply);
    CHECK(read.turns[i].reply_ids == written.turns[i].reply_ids);
  }
  CHECK(read.score.value == written.score.value);
  CHECK(read.score.parts == written.score.parts);
  CHECK(read.score.status == written.score.status);
  CHECK(read.score.note == written.score.note);
  REQUIRE(read.score.spans.size() == written.score.spans.size());
  for (std::size_t i = 0; i < read.score.spans.size(); ++i) {
    CHECK(read.score.spans[i].turn == written.score.spans[i].turn);
    CHECK(read.score.spans[i].end_token == written.score.spans[i].end_token);
    CHECK(read.score.spans[i].value == written.score.spans[i].value);
  }
}

}  // namespace

TEST_CASE("rollout: a record gives back every bit of the episodes") {
  for (const bool truncated : {false, true}) {
    const Rollouts rollouts(truncated);
    RolloutReplay replay = rollouts.replay(rollouts.write());
    CHECK(replay.has_logprobs());
    CHECK(replay.has_scores());
    for (std::size_t i = 0; i < 2; ++i) {
      const std::vector<Episode> read = replay.iteration(static_cast<std::int64_t>(i) + 1, 30);
      REQUIRE(read.size() == 4);
      for (std::size_t e = 0; e < 4; ++e) {
        check_same(read[e], rollouts.iterations[i][e]);
        for (const Turn& turn : read[e].turns) {
          CHECK(turn.completion.version == std::vector<std::int64_t>(turn.completion.ids.size(), 30));
        }
      }
    }
  }
}

TEST_CASE("rollout: a replay can begin behind the first iteration and use fewer than there are") {
  const Rollouts rollouts;
  const auto path = rollouts.write();
  RolloutReplay later = rollouts.replay(path);
  check_same(later.iteration(2, 0).at(3), rollouts.iterations[1][3]);
  RolloutReplay shorter = rollouts.replay(path, 1);
  check_same(shorter.iteration(1, 0).at(0), rollouts.iterations[0][0]);
}

TEST_CASE("rollout: a resumed run cuts its record back to what it has done, a new one replaces it") {
  const Rollouts rollouts;
  const std::string whole = contents_of(rollouts.write());
  CHECK(std::count(whole.begin(), whole.end(), '\n') == 8);
  { std::ofstream(rollouts.file(), std::ios::app) << "{\"iteration\":3,\"half a li"; }
  CHECK(contents_of(rollouts.write(1)) == whole);
  CHECK(contents_of(rollouts.write(2)) == whole);
  CHECK(contents_of(rollouts.write(0)) == whole);
}

TEST_CASE("rollout: another program's record needs prompts and ids only") {
  const Rollouts rollouts;
  std::string text;
  for (std::size_t i = 0; i < 2; ++i) {
    for (const Episode& episode : rollouts.iterations[i]) {
      const Json full = record_json(static_cast<std::int64_t>(i) + 1, episode);
      Json line = Json::object(), turns = Json::array();
      for (const char* key : {"iteration", "prompt"}) line.set(key, full.at(key));
      for (const Json& turn : full.at("turns").as_array()) {
        Json bare = Json::object();
        for (const char* key : {"ids", "reply", "reply_ids"}) {
          if (turn.find(key) != nullptr) bare.set(key, turn.at(key));
        }
        turns.push_back(bare);
      }
      line.set("turns", turns);
      text += line.dump() + "\n\n";
    }
  }
  RolloutReplay replay = rollouts.replay(rollouts.scratch.file("bare.jsonl", text));
  CHECK(!replay.has_logprobs());
  CHECK(!replay.has_scores());
  const std::vector<Episode> read = replay.iteration(1, 0);
  for (std::size_t e = 0; e < 4; ++e) {
    const Episode& written = rollouts.iterations[0][e];
    CHECK(read[e].prompt.text == written.prompt.text);
    CHECK(read[e].token_stream() == written.token_stream());
    CHECK(read[e].completion_text() == written.completion_text());
    CHECK(read[e].group == written.group);
    CHECK(read[e].sample == written.sample);
    CHECK(read[e].turns.back().completion.logprob.empty());
  }
}

TEST_CASE("rollout: what is wrong with a record is told by file and line") {
  const Rollouts rollouts;
  const auto refused = [&](std::size_t line, const std::function<void(Json&)>& change) {
    const auto path = rollouts.with(line, change);
    return [&rollouts, path] { rollouts.replay(path); };
  };
  const auto first_turn = [](Json& json) -> Json& { return const_cast<Json&>(json.at("turns")).as_array()[0]; };
  HONE_CHECK_ERROR(data, refused(3, [](Json& json) { json.set("prompt", "other"); })(), "changed.jsonl:3:", "'other'",
                   "other prompts");
  HONE_CHECK_ERROR(data, refused(2, [](Json& json) { json.set("prompt_id", 3); })(), "changed.jsonl:2:", "prompt_id 3",
                   "no training prompt");
  HONE_CHECK_ERROR(data,
                   refused(2,
                           [](Json& json) {
                             json.set("prompt_ids", Json::Array{1, 2});
                           })(),
                   "changed.jsonl:2:", "another vocabulary");
  HONE_CHECK_ERROR(data,
                   refused(5,
                           [&](Json& json) {
                             first_turn(json).set("ids", Json::Array{1, 9999});
                           })(),
                   "changed.jsonl:5:", "9999", "another vocabulary");
  HONE_CHECK_ERROR(data, refused(5, [&](Json& json) { first_turn(json).set("ids", Json::Array{}); })(),
                   "changed.jsonl:5:", "no ids");
  HONE_CHECK_ERROR(data, refused(5, [&](Json& json) { first_turn(json).set("logprobs", Json::Array{0.5}); })(),
                   "changed.jsonl:5:", "logprobs");
  HONE_CHECK_ERROR(data, refused(4, [&](Json& json) { first_turn(json).set("finish", "tired"); })(),
                   "changed.jsonl:4:", "tired", "stop, length, env, abort");
  HONE_CHECK_ERROR(data, refused(4, [](Json& json) { json.set("score", Json::object()); })(),
                   "changed.jsonl:4:", "value");
  HONE_CHECK_ERROR(data, refused(4, [](Json& json) { json.set("iteration", 2); })(), "changed.jsonl:4:", "iteration 2",
                   "4 episodes");
  HONE_CHECK_ERROR(data, refused(6, [](Json& json) { json.set("turns", Json::Array{}); })(),
                   "changed.jsonl:6:", "turns");
  HONE_CHECK_ERROR(data,
                   refused(7,
                           [&](Json& json) {
                             Json bare = Json::object();
                             for (const char* key : {"iteration", "prompt", "turns"}) bare.set(key, json.at(key));
                             json = bare;
                           })(),
                   "changed.jsonl:7:", "lacks a score");
  HONE_CHECK_ERROR(data, refused(2, [](Json& json) { json.set("group", 1); })(), "changed.jsonl:2:", "group 0",
                   "1 episodes");
  HONE_CHECK_ERROR(data, rollouts.replay(rollouts.scratch.file("broken.jsonl", "{\"iteration\":")), "broken.jsonl:1");
  HONE_CHECK_ERROR(data, rollouts.replay(rollouts.scratch.file("empty.jsonl", "")), "empty.jsonl", "0 episodes");
  HONE_CHECK_ERROR(io, rollouts.replay(rollouts.scratch.path() / "none.jsonl"), "none.jsonl");
  const auto path = rollouts.write();
  HONE_CHECK_ERROR(data, rollouts.replay(path, 3), "rollouts.jsonl", "iteration 2", "3 iterations");
  HONE_CHECK_ERROR(data, rollouts.replay(path, 2, 6), "rollouts.jsonl:5", "iteration 2", "6 episodes");
  HONE_CHECK_ERROR(data, rollouts.replay(path, 2, 4, 8), "rollouts.jsonl:1", "context is 8");
}
