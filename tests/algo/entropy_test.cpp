#include "algo/entropy.h"

#include <limits>

#include <doctest/doctest.h>

using namespace hone;

TEST_CASE("algo: a fixed entropy bonus stays as it is") {
  auto bonus = EntropyController::fixed(0.01);
  bonus.update(100);
  CHECK(bonus.weight() == 0.01);
}

TEST_CASE("algo: an adaptive entropy bonus grows below its target and is not given above it") {
  auto bonus = EntropyController::adaptive(0.01, 0.5, 0.004);
  CHECK(bonus.weight() == 0.01);
  bonus.update(0.2);
  CHECK(bonus.weight() == doctest::Approx(0.014));
  bonus.update(std::numeric_limits<double>::quiet_NaN());
  CHECK(bonus.weight() == doctest::Approx(0.014));
  bonus.update(0.9);
  CHECK(bonus.weight() == 0);
  CHECK(bonus.coefficient() == doctest::Approx(0.01));
  for (int i = 0; i < 5; ++i) bonus.update(0.9);
  CHECK(bonus.coefficient() == 0);
  bonus.update(0.5);
  CHECK(bonus.weight() == doctest::Approx(0.004));
  auto restored = EntropyController::adaptive(0, 0.5, 0.004);
  restored.restore(bonus.coefficient(), bonus.seen());
  CHECK(restored.weight() == bonus.weight());
}
