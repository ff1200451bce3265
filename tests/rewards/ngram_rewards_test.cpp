#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "rewards/diversity.h"
#include "rewards/repetition.h"
#include "tests/conformance/reward_conformance.h"

namespace hone {

namespace {

std::vector<Score> diversity(const DiversitySpec& spec, const std::vector<Episode>& episodes) {
  return spec.make({})->score(episodes);
}

}  // namespace

TEST_CASE("rewards: repetition keeps the contract of rewards") {
  RepetitionSpec spec;
  test::check_reward(spec, {}, {test::episode("abcabcabc"), test::episode("abcdefgh")});
}

TEST_CASE("rewards: repetition counts tokens or words, turn by turn") {
  RepetitionSpec spec;
  spec.unit = Unit::words;
  spec.n = 2;
  const auto judge = [&spec](const Episode& episode) { return spec.make({})->score(std::span(&episode, 1))[0].value; };
  CHECK(judge(test::episode("the cat\tthe  CAT\n")) == doctest::Approx(-1.0 / 3));  // the cat, cat the, the cat
  CHECK(judge(test::episode("the cat sat")) == 0.0);
  CHECK(judge(test::episode("cat")) == 0.0);
  CHECK(judge(test::episode("")) == 0.0);
  Episode two_turns = test::episode("a b");
  two_turns.turns.push_back(test::episode("b a").turns[0]);
  CHECK(judge(two_turns) == 0.0);  // a b, b a: the b b across the turns is none
  two_turns.turns[1] = two_turns.turns[0];
  CHECK(judge(two_turns) == -0.5);
  spec.penalty = 3;
  CHECK(judge(two_turns) == -1.5);
}

TEST_CASE("rewards: diversity keeps the contract of rewards") {
  DiversitySpec spec;
  test::check_reward(spec, {},
                     {test::in_group(0, test::episode("a b c")), test::in_group(0, test::episode("a b d")),
                      test::in_group(1, test::episode("x y z")), test::in_group(1, test::episode("x y"))});
}

TEST_CASE("rewards: the weighted mean of diversity is distinct-n of the group") {
  DiversitySpec spec;
  const std::vector<Episode> group{test::episode("a b c"), test::episode("a b c d"), test::episode("b c b c")};
  // ab bc | ab bc cd | bc cb bc: 8 bigrams, 4 of them distinct (ab, bc, cd, cb); ab occurs twice, bc four times
  const auto scores = diversity(spec, group);
  CHECK(scores[0].value == doctest::Approx((1.0 / 2 + 1.0 / 4) / 2));
  CHECK(scores[1].value == doctest::Approx((1.0 / 2 + 1.0 / 4 + 1) / 3));
  CHECK(scores[2].value == doctest::Approx((1.0 / 4 + 1 + 1.0 / 4) / 3));
  CHECK((2 * scores[0].value + 3 * scores[1].value + 3 * scores[2].value) / 8 == doctest::Approx(0.5));
  for (const Score& score : scores) CHECK(score.parts.at(0) == std::pair<std::string, double>{"distinct", 0.5});
}

TEST_CASE("rewards: diversity judges each group alone and abstains without an n-gram") {
  DiversitySpec spec;
  CHECK(spec.make({})->scope() == RewardScope::group);
  const auto scores = diversity(spec, {test::in_group(0, test::episode("a b")), test::in_group(0, test::episode("c d")),
                                       test::in_group(1, test::episode("a b")), test::in_group(1, test::episode("a b")),
                                       test::in_group(1, test::episode("a"))});
  CHECK(scores[0].value == 1.0);
  CHECK(scores[1].value == 1.0);
  CHECK(scores[2].value == 0.5);
  CHECK(scores[3].value == 0.5);
  CHECK(scores[4].status == ScoreStatus::abstain);
  CHECK(scores[4].note == "fewer than 2 words");
  CHECK(diversity(spec, {test::episode("a")})[0].status == ScoreStatus::abstain);
}

}  // namespace hone
