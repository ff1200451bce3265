#include "rewards/exact_match.h"

#include <doctest/doctest.h>

#include <string>

#include "envs/arithmetic.h"
#include "tests/conformance/reward_conformance.h"

namespace hone {

namespace {

Score match(const ExactMatchSpec& spec, const std::string& completion, Json answer) {
  const Episode episode = test::episode(completion, test::answer(std::move(answer)));
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

ExactMatchSpec with(bool trim, bool ignore_case) {
  ExactMatchSpec spec;
  spec.trim = trim;
  spec.ignore_case = ignore_case;
  return spec;
}

}  // namespace

TEST_CASE("rewards: exact_match keeps the contract of rewards") {
  ExactMatchSpec spec;
  const Episode good = test::episode("95", test::answer("95"));
  test::check_reward(spec, {}, {good, test::episode("96", test::answer("95"))});
  test::check_missing_reference(spec, {}, good);
}

TEST_CASE("rewards: exact_match compares the whole completion with the answer") {
  const ExactMatchSpec spec;
  CHECK(match(spec, "95", "95").value == 1.0);
  CHECK(match(spec, " 95\n", "95 ").value == 1.0);
  CHECK(match(spec, "95.", "95").value == 0.0);
  CHECK(match(spec, "", "95").value == 0.0);
  CHECK(match(spec, "", "").value == 1.0);
  CHECK(match(spec, "Yes", "yes").value == 0.0);
  CHECK(match(spec, "95", 95).value == 1.0);
  CHECK(match(spec, "true", true).value == 1.0);
  CHECK(match(spec, "b", Json::Array{"a", "b"}).value == 1.0);
  CHECK(match(spec, "c", Json::Array{"a", "b"}).value == 0.0);
  CHECK(match(with(false, false), "95 ", "95").value == 0.0);
}

TEST_CASE("rewards: exact_match without case works beyond ASCII and takes nothing for a pattern") {
  const ExactMatchSpec spec = with(true, true);
  CHECK(match(spec, "YES", "yes").value == 1.0);
  CHECK(match(spec, "ÄRGER", "ärger").value == 1.0);
  CHECK(match(spec, "МОСКВА", "Москва").value == 1.0);
  CHECK(match(spec, "axc", "a.c").value == 0.0);
  CHECK(match(spec, "A.C", "a.c").value == 1.0);
  CHECK(match(spec, "(", "(").value == 1.0);
  CHECK(match(spec, "yes or no", "yes").value == 0.0);
  CHECK(match(spec, "", "").value == 1.0);
}

TEST_CASE("rewards: exact_match cannot judge an answer that is neither text nor number") {
  for (const Json& answer : {Json(), Json::object(), Json(Json::Array{}), Json(Json::Array{Json::object()})}) {
    const Score score = match({}, "95", answer);
    CHECK(score.status == ScoreStatus::error);
    CHECK_FALSE(score.note.empty());
  }
}

TEST_CASE("rewards: exact_match gives every demonstration of arithmetic the full score") {
  ArithmeticSpec sums;
  sums.operations = {"+", "-", "*"};
  const auto environment = sums.make({.seed = 1});
  const auto reward = ExactMatchSpec().make({});
  for (std::uint64_t i = 0; i < 500; ++i) {
    for (const Split split : {Split::train, Split::held_out}) {
      const Prompt prompt = environment->prompt(split, i);
      Episode episode = test::episode(environment->demonstration(prompt).value());
      episode.prompt = prompt;
      CHECK(reward->score(std::span(&episode, 1))[0].value == 1.0);
    }
  }
}

}  // namespace hone
