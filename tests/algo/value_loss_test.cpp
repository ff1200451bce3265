#include "algo/value_loss.h"

#include <cmath>
#include <limits>

#include "algo/packed.h"

using namespace hone;
using namespace hone::test;

namespace {

LossRows mean_over(std::int64_t rows) {
  return loss_rows(Aggregation::token_mean, starts_of({rows}), at::ones({rows}), static_cast<double>(rows));
}

}  // namespace

TEST_CASE("algo: the value clip is around the old value and takes the larger error") {
  // old 0, clip 0.2:   value   return   unclipped   clipped
  //                     0.1      1        0.81        0.81
  //                     0.5      1        0.25        0.64   moved past the clip towards the return: held back
  //                     0.5      0        0.25        0.04   moved away: pays the full error
  //                    -0.5      1        2.25        1.44
  const auto value = leaf(numbers({.1, .5, .5, -.5})), target = numbers({1, 1, 0, 1});
  const auto result = value_loss(value, at::zeros({4}, at::kDouble), target, mean_over(4), 0.2);
  CHECK(result.loss.item<double>() == doctest::Approx((.81 + .64 + .25 + 2.25) / 8));
  CHECK(result.clipped == 1.0);
  result.loss.backward();
  CHECK(gap(value.grad(), numbers({-.9 / 4, 0, .5 / 4, -1.5 / 4})) < 1e-12);
}

TEST_CASE("algo: without a clip the value loss is half the squared error") {
  const auto value = leaf(numbers({1, 2})), target = leaf(numbers({0, 5}));
  const auto result = value_loss(value, at::zeros({2}, at::kDouble), target, mean_over(2), std::nullopt);
  CHECK(result.loss.item<double>() == doctest::Approx((1 + 9) / 4.));
  result.loss.backward();
  CHECK(!target.grad().defined());
  CHECK(gap(value.grad(), numbers({.5, -1.5})) < 1e-12);
}

TEST_CASE("algo: explained variance is 1 for a perfect critic, 0 for a constant one, below for a bad one") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto target = numbers({1, 2, 3, nan}), mask = numbers({1, 1, 1, 0});
  CHECK(explained_variance(target, target, mask) == 1.0);
  CHECK(explained_variance(at::full({4}, 7.0, at::kDouble), target, mask) == doctest::Approx(0));
  CHECK(explained_variance(-target, target, mask) == doctest::Approx(-3));
  CHECK(std::isnan(explained_variance(target, at::ones({4}, at::kDouble), mask)));
}
