#include "rewards/math_answer.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/conformance/reward_conformance.h"

namespace hone {

namespace {

Score judge(const MathAnswerSpec& spec, const std::string& completion, Json answer) {
  const Episode episode = test::episode(completion, test::answer(std::move(answer)));
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

}  // namespace

TEST_CASE("rewards: math_answer keeps the contract of rewards") {
  MathAnswerSpec spec;
  const Episode good = test::episode("so it is \\boxed{\\frac{1}{2}}", test::answer("0.5"));
  test::check_reward(spec, {}, {good, test::episode("0.6", test::answer(0.5))});
  test::check_missing_reference(spec, {}, good);
  CHECK(spec.make({})->calls_at_once() > 0);
}

TEST_CASE("rewards: math_answer judges the answer, not how it is written") {
  MathAnswerSpec spec;
  CHECK(judge(spec, "thus \\boxed{x = \\frac{4}{8}}", "1/2").value == 1.0);
  CHECK(judge(spec, "The answer is $(1, \\infty)$.", "x > 1").value == 1.0);
  CHECK(judge(spec, "#### 1,000 apples", 1000).value == 1.0);
  CHECK(judge(spec, "perhaps 3", 4).value == 0.0);
  CHECK(judge(spec, "perhaps 3", 4).parts == std::vector<std::pair<std::string, double>>{{"answered", 1.0}});
  CHECK(judge(spec, "no idea", 4).parts == std::vector<std::pair<std::string, double>>{{"answered", 0.0}});
}

TEST_CASE("rewards: math_answer takes references as data sets write them") {
  MathAnswerSpec spec;
  CHECK(judge(spec, "7", "3 + 4 = <<3+4=7>>7\n#### 7").value == 1.0);
  CHECK(judge(spec, "7", "hence $\\boxed{7}$").value == 1.0);
  CHECK(judge(spec, "7", Json::Array{"6", 7}).value == 1.0);
  for (const Json& bad : {Json(), Json(""), Json(true), Json::array(), Json::object()}) {
    CHECK(judge(spec, "7", bad).status == ScoreStatus::error);
  }
}

TEST_CASE("rewards: math_answer looks only where it is told") {
  MathAnswerSpec spec;
  spec.find = {"boxed"};
  CHECK(judge(spec, "the answer is 7", 7).value == 0.0);
  CHECK(judge(spec, "\\boxed{7}", 7).value == 1.0);
  spec.find = {"whole"};
  CHECK(judge(spec, "7 or 8", 7).value == 0.0);
  CHECK(judge(spec, " 7 ", 7).value == 1.0);
  spec.find = {"number"};
  spec.after = "</think>";
  CHECK(judge(spec, "<think>7", 7).value == 0.0);
  CHECK(judge(spec, "<think>8</think>7", 7).value == 1.0);
  spec.find = {"box"};
  CHECK(test::DeclaredFields::problems(spec).front().starts_with("find: expected one or more of \"boxed\""));
  spec.find = {};
  CHECK(test::DeclaredFields::problems(spec).size() == 1);
}

}  // namespace hone
