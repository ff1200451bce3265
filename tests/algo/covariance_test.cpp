#include "algo/covariance.h"

#include "algo/packed.h"

using namespace hone;
using namespace hone::test;

TEST_CASE("algo: covariance is taken around the means of the counted rows") {
  const auto logprob = numbers({-1, -3, 50, -2}), advantage = numbers({2, -2, 9, 0});
  const auto mask = numbers({1, 1, 0, 1});
  CHECK(gap(token_covariance(logprob, advantage, mask), numbers({2, 2, 0, 0})) < 1e-12);
}

TEST_CASE("algo: kl picks the largest covariances, clip draws among the middle ones") {
  const auto covariance = numbers({9, 0.5, 2, 3, 4, 100, 2.5}), mask = numbers({1, 1, 1, 1, 1, 0, 1});
  Random random(3);
  CovarianceOptions options = {.control = CovarianceControl::kl, .share = 0.34};
  CHECK(at::equal(covariance_rows(covariance, mask, options, random), at::tensor({0, 4}, at::kLong)));
  options.control = CovarianceControl::clip;
  std::vector<int> drawn(7, 0);
  for (int i = 0; i < 200; ++i) {
    const auto rows = covariance_rows(covariance, mask, options, random);
    REQUIRE(rows.numel() == 2);
    for (std::int64_t k = 0; k < 2; ++k) ++drawn[static_cast<std::size_t>(rows[k].item<std::int64_t>())];
  }
  for (const std::size_t row : {2, 3, 4, 6}) CHECK(drawn[row] > 60);
  for (const std::size_t row : {0, 1, 5}) CHECK(drawn[row] == 0);
  options.share = 1e-9;  // at least one
  CHECK(covariance_rows(covariance, mask, options, random).numel() == 1);
  CHECK(covariance_rows(covariance, at::zeros_like(mask), options, random).numel() == 0);
  options.control = CovarianceControl::off;
  CHECK(covariance_rows(covariance, mask, options, random).numel() == 0);
}
