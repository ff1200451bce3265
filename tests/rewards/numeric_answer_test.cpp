#include "rewards/numeric_answer.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "rewards/number.h"
#include "tests/conformance/reward_conformance.h"

namespace hone {

namespace {

Score judge(const NumericAnswerSpec& spec, const std::string& completion, Json answer) {
  const Episode episode = test::episode(completion, test::answer(std::move(answer)));
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

}  // namespace

TEST_CASE("rewards: numeric_answer keeps the contract of rewards") {
  NumericAnswerSpec spec;
  const Episode good = test::episode("so it is 95", test::answer("95"));
  test::check_reward(spec, {}, {good, test::episode("96", test::answer(95))});
  test::check_missing_reference(spec, {}, good);
}

TEST_CASE("rewards: numbers are read as people write them") {
  const std::pair<const char*, double> written[] = {
      {"42", 42},
      {"1,234.5", 1234.5},
      {"$1,234,567 in all", 1234567},
      {".5", 0.5},
      {"it is 3.", 3},
      {"6.02e23", 6.02e23},
      {"-7", -7},
      {"is -7", -7},
      {"= −7.5", -7.5},
      {"-$3.20", -3.2},
      {"+8", 8},
      {"9-4", 4},
      {"x)-4", 4},
      {"10 - 20", 20},
      {"3/4", 0.75},
      {"-3 / 4", -0.75},
      {"12%", 0.12},
      {"12.5 \\%", 0.125},
      {"\\frac{3}{4}", 0.75},
      {"-\\dfrac{3}{4}", -0.75},
      {"2\\frac{1}{2}", 2.5},
      {"5km", 5},
      {"1,2,3", 3},
      {"12,34", 34},
      {"$42$", 42},
      {"x=4", 4},
      {"3/0 or 7", 7},
      {"9 is less than 1e999", 9},
  };
  for (const auto& [text, value] : written) {
    CAPTURE(text);
    const auto number = last_number(text);
    REQUIRE(number.has_value());
    CHECK(*number == doctest::Approx(value).epsilon(1e-12));
  }
  for (const char* text : {"", "none", "H2O", "-", ",", "x_1", "1/0", "\\frac{1}{0}", "forty two", "%"}) {
    CAPTURE(text);
    CHECK_FALSE(last_number(text).has_value());
  }
  CHECK(first_number("7 of 12").value() == 7);
}

TEST_CASE("rewards: the last box is found with its braces balanced") {
  CHECK(last_boxed("\\boxed{1} and \\boxed{\\frac{1}{2}}.") == "\\frac{1}{2}");
  CHECK(last_boxed("\\boxed{}") == "");
  CHECK_FALSE(last_boxed("\\boxed{1").has_value());
  CHECK_FALSE(last_boxed("1").has_value());
}

TEST_CASE("rewards: numeric_answer takes the last number, a box before it, or what follows a text") {
  NumericAnswerSpec spec;
  CHECK(judge(spec, "3 and 4 make 7", 7).value == 1.0);
  CHECK(judge(spec, "3 and 4 make 7", 4).value == 0.0);
  CHECK(judge(spec, "7 is the answer, as 3 shows", 7).value == 0.0);
  CHECK(judge(spec, "\\boxed{x = 7}, see line 3", "7").value == 1.0);
  CHECK(judge(spec, "no idea", 7).value == 0.0);
  CHECK(judge(spec, "no idea", 7).status == ScoreStatus::ok);
  spec.after = "####";
  CHECK(judge(spec, "3 + 4 #### 7 apples, 2 a day", "3 and 4 #### 7").value == 1.0);
  CHECK(judge(spec, "#### 3 no, #### 7", 7).value == 1.0);
  CHECK(judge(spec, "7", 7).value == 0.0);
  CHECK(judge(spec, "7 ####", 7).value == 0.0);
}

TEST_CASE("rewards: numeric_answer compares within its tolerance and keeps large whole numbers apart") {
  NumericAnswerSpec spec;
  CHECK(judge(spec, "0.3333333", "1/3").value == 1.0);
  CHECK(judge(spec, "0.33", "1/3").value == 0.0);
  CHECK(judge(spec, "12345678901", 12345678901).value == 1.0);
  CHECK(judge(spec, "12345678902", 12345678901).value == 0.0);
  spec.tolerance = 0.5;
  CHECK(judge(spec, "0.33", "1/3").value == 1.0);
  spec.tolerance = -1;
  CHECK(test::DeclaredFields::problems(spec).size() == 1);
}

TEST_CASE("rewards: numeric_answer cannot judge without a number in the reference") {
  for (const Json& answer : {Json(), Json("forty two"), Json(""), Json(true), Json::array(), Json("1/0")}) {
    const Score score = judge({}, "42", answer);
    CHECK(score.status == ScoreStatus::error);
    CHECK(score.note.find("must hold a number") != std::string::npos);
  }
}

}  // namespace hone
