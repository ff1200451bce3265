#include "rewards/length.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/conformance/reward_conformance.h"

namespace hone {

namespace {

Score of_length(const LengthSpec& spec, std::size_t tokens) {
  const Episode episode = test::episode_of_ids(std::vector<std::int32_t>(tokens, 7));
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

}  // namespace

TEST_CASE("rewards: length keeps the contract of rewards") {
  LengthSpec spec;
  spec.max = 20;
  spec.buffer = 10;
  spec.target = 5;
  test::check_reward(spec, {}, {test::episode("short"), test::episode("somewhat longer")});
}

TEST_CASE("rewards: length penalises what runs into the buffer before max") {
  LengthSpec spec;
  spec.max = 10;
  spec.buffer = 4;
  spec.penalty = 2;
  CHECK(of_length(spec, 0).value == 0.0);
  CHECK(of_length(spec, 6).value == 0.0);
  CHECK(of_length(spec, 7).value == -0.5);
  CHECK(of_length(spec, 10).value == -2.0);
  CHECK(of_length(spec, 14).value == -2.0);
  spec.floor = false;
  CHECK(of_length(spec, 14).value == -4.0);
  spec.floor = true;
  spec.buffer = 0;
  CHECK(of_length(spec, 10).value == 0.0);
  CHECK(of_length(spec, 11).value == -2.0);
}

TEST_CASE("rewards: length pulls towards a target from both sides and reports both parts") {
  LengthSpec spec;
  spec.target = 10;
  CHECK(of_length(spec, 10).value == 0.0);
  CHECK(of_length(spec, 5).value == -0.5);
  CHECK(of_length(spec, 15).value == -0.5);
  CHECK(of_length(spec, 0).value == -1.0);
  CHECK(of_length(spec, 90).value == -1.0);
  spec.max = 12;
  spec.buffer = 4;
  const Score score = of_length(spec, 12);
  CHECK(score.parts == std::vector<std::pair<std::string, double>>{{"overlong", -1.0}, {"target", -0.2}});
  CHECK(score.value == doctest::Approx(-1.2));
}

TEST_CASE("rewards: length counts the tokens of every turn") {
  LengthSpec spec;
  spec.target = 10;
  Episode episode = test::episode("12345");
  episode.turns[0].reply = "reply";
  episode.turns[0].reply_ids = {1, 2, 3};
  episode.turns.push_back(test::episode("67890").turns[0]);
  CHECK(spec.make({})->score(std::span(&episode, 1))[0].value == 0.0);
}

TEST_CASE("rewards: length refuses settings that say nothing or contradict each other") {
  LengthSpec spec;
  CHECK(test::DeclaredFields::problems(spec).front() == "max: set `max`, `target` or both");
  spec.max = 5;
  CHECK(test::DeclaredFields::problems(spec).empty());
  spec.buffer = 6;
  CHECK(test::DeclaredFields::problems(spec).front() == "buffer: must not exceed `max`");
  spec.buffer = 0;
  spec.floor = false;
  CHECK(test::DeclaredFields::problems(spec).front().starts_with("buffer: a penalty without a floor"));
}

}  // namespace hone
