#include "rewards/format.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "rewards/pattern.h"
#include "tests/conformance/reward_conformance.h"
#include "tests/support/error_of.h"

namespace hone {

namespace {

FormatSpec with(const std::string& pattern, FormatSpec::Extent match = FormatSpec::Extent::full) {
  FormatSpec spec;
  spec.name = "form";
  spec.pattern = pattern;
  spec.match = match;
  return spec;
}

Score judge(const FormatSpec& spec, const std::string& completion) {
  const Episode episode = test::episode(completion);
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

}  // namespace

TEST_CASE("rewards: format keeps the contract of rewards") {
  FormatSpec spec = with("[0-9]+");
  test::check_reward(spec, {}, {test::episode("95"), test::episode("none")});
}

TEST_CASE("rewards: format matches the whole completion or a part of it") {
  CHECK(judge(with("[0-9]+"), "95").value == 1.0);
  CHECK(judge(with("[0-9]+"), "95\n").value == 0.0);
  CHECK(judge(with("9|95"), "95").value == 1.0);
  CHECK(judge(with("[0-9]+", FormatSpec::Extent::partial), "it is 95").value == 1.0);
  CHECK(judge(with("^[0-9]+", FormatSpec::Extent::partial), "it is 95").value == 0.0);
  CHECK(judge(with("..."), "äöü").value == 1.0);
  CHECK(judge(with("(?i)straße"), "STRAßE").value == 1.0);
}

TEST_CASE("rewards: a bad pattern is refused when the reward is made") {
  HONE_CHECK_ERROR(config, with("(a").make({}), "reward form", "\"(a\"", "missing closing parenthesis", "character 3");
  HONE_CHECK_ERROR(config, with("[z-a]").make({}), "out of order");
}

TEST_CASE("rewards: a pattern that would take forever on a text is an error, soon") {
  const auto start = std::chrono::steady_clock::now();
  const Score score = judge(with("(a+)+b"), std::string(5000, 'a'));
  CHECK(score.status == ScoreStatus::error);
  CHECK(score.note.find("gave up") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  const Score deep = judge(with("(?:(x)|y)*z"), std::string(2'000'000, 'x'));
  CHECK(deep.status == ScoreStatus::error);
}

TEST_CASE("rewards: text that is not UTF-8 is an error, not a crash") {
  CHECK(judge(with(".*"), "\xFF").status == ScoreStatus::error);
}

TEST_CASE("rewards: all matches of a pattern, from left to right, without the empty ones") {
  const Pattern pattern("(a)|(b)|x*", {});
  const std::string text = "aübxx";
  const auto matches = pattern.find_all(text);
  REQUIRE(matches.size() == 3);
  CHECK(matches[0][1] == "a");
  CHECK_FALSE(matches[0][2].has_value());
  CHECK(matches[1][2] == "b");
  CHECK(matches[2][0] == "xx");
  CHECK(pattern.find_all("").empty());
  CHECK(pattern.matches({}));
}

}  // namespace hone
