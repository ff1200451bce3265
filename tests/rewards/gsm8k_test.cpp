#include "rewards/gsm8k.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/conformance/reward_conformance.h"

namespace hone {

namespace {

Score judge(const Gsm8kSpec& spec, const std::string& completion, Json answer) {
  const Episode episode = test::episode(completion, test::answer(std::move(answer)));
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

}  // namespace

TEST_CASE("rewards: gsm8k keeps the contract of rewards") {
  Gsm8kSpec spec;
  const Episode good = test::episode("#### 72", test::answer("48 + 24 = 72\n#### 72"));
  test::check_reward(spec, {}, {good, test::episode("#### 71", test::answer("72"))});
  test::check_missing_reference(spec, {}, good);
  spec.method = Gsm8kSpec::Method::flexible;
  test::check_reward(spec, {}, {good, test::episode("71", test::answer("72"))});
}

TEST_CASE("rewards: gsm8k strictly wants the number after ####") {
  Gsm8kSpec spec;
  CHECK(judge(spec, "so\n#### 72", "#### 72").value == 1.0);
  CHECK(judge(spec, "####72", 72).value == 1.0);
  CHECK(judge(spec, "#### $1,200.50", "#### 1200.5").value == 1.0);
  CHECK(judge(spec, "#### -5", "#### -5").value == 1.0);
  CHECK(judge(spec, "#### 5", "#### -5").value == 0.0);
  CHECK(judge(spec, "#### 3\nno\n#### 72.", "#### 72").value == 1.0);
  CHECK(judge(spec, "#### 72 apples", "#### 72").value == 1.0);
  CHECK(judge(spec, "it is 72", "#### 72").value == 0.0);
  CHECK(judge(spec, "it is 72", "#### 72").parts.at(0).second == 0.0);
  CHECK(judge(spec, "#### about 72", "#### 72").value == 0.0);
}

TEST_CASE("rewards: gsm8k flexibly takes the last number") {
  Gsm8kSpec spec;
  spec.method = Gsm8kSpec::Method::flexible;
  CHECK(judge(spec, "it is 72", "#### 72").value == 1.0);
  CHECK(judge(spec, "#### 71, I mean 72.", "#### 72").value == 1.0);
  CHECK(judge(spec, "80-8", "#### 8").value == 1.0);
  CHECK(judge(spec, "it is -$8", "#### -8").value == 1.0);
  CHECK(judge(spec, "no idea", "#### 8").parts.at(0).second == 0.0);
}

TEST_CASE("rewards: gsm8k cannot judge without a number in the reference") {
  for (const Json& bad : {Json(), Json("no number"), Json("#### none"), Json(true)}) {
    CHECK(judge({}, "#### 1", bad).status == ScoreStatus::error);
  }
}

}  // namespace hone
