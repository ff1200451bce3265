#include "rewards/skeleton.h"

#include <doctest/doctest.h>

#include "tests/conformance/reward_conformance.h"

namespace hone {

TEST_CASE("rewards: the skeleton keeps the contract of rewards") {
  SkeletonRewardSpec spec;
  const Episode found = test::episode("49", test::answer("49"));
  test::check_reward(spec, {}, {found, test::episode("50", test::answer("49"))});
  test::check_missing_reference(spec, {}, found);
}

TEST_CASE("rewards: the skeleton pays less for each turn, unless told not to") {
  SkeletonRewardSpec spec;
  Episode found = test::episode("40", test::answer("49"));
  found.turns.push_back(test::episode("49").turns[0]);
  CHECK(spec.make({})->score(std::span(&found, 1))[0].value == 0.5);
  spec.quick = false;
  CHECK(spec.make({})->score(std::span(&found, 1))[0].value == 1.0);
  found.turns.back().completion.text = "48";
  CHECK(spec.make({})->score(std::span(&found, 1))[0].value == 0.0);
}

}  // namespace hone
