#include "algo/masked.h"

#include <limits>

#include "algo/packed.h"

using namespace hone;
using namespace hone::test;

TEST_CASE("algo: masked mean and variance of the golden cases") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto mean = golden_case(folder, "utils.json", "tune_masked_mean");
  const auto x = tensor_of(mean.at("inputs").at("x")), mask = tensor_of(mean.at("inputs").at("mask"));
  const auto expected = tensor_of(mean.at("expected").at("row_means"));
  for (int row = 0; row < 2; ++row) {
    CHECK(masked_mean(x[row], mask[row]) == doctest::Approx(expected[row].item<double>()).epsilon(1e-4));
  }
  const auto variance = golden_case(folder, "utils.json", "tune_masked_var");
  CHECK(masked_variance(tensor_of(variance.at("inputs").at("x")), tensor_of(variance.at("inputs").at("mask"))) ==
        doctest::Approx(variance.at("expected").at("var_unbiased").as_number()));
  const auto nothing = golden_case(folder, "utils.json", "nemo_masked_mean_zero");
  CHECK(masked_mean(tensor_of(nothing.at("inputs").at("x")), tensor_of(nothing.at("inputs").at("mask"))) == 0.0);
  const auto with_nan = tensor_of(golden_case(folder, "utils.json", "trl_nanstd").at("inputs").at("x"));
  CHECK(masked_variance(with_nan, at::isnan(with_nan).logical_not()) == doctest::Approx(1.0));
}

TEST_CASE("algo: masked whitening equals whitening of the counted values alone") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "utils.json", "trl_masked");
  const auto x = tensor_of(golden.at("inputs").at("x")), mask = tensor_of(golden.at("inputs").at("mask"));
  CHECK(masked_mean(x, mask) == doctest::Approx(golden.at("expected").at("mean").as_number()));
  CHECK(masked_variance(x, mask) == doctest::Approx(golden.at("expected").at("var_unbiased").as_number()));
  CHECK(gap(masked_whiten(x, mask), numbers({0, -0.70710678, 0.70710678, 0})) < 1e-6);
  CHECK(gap(masked_whiten(x, mask, {.add_mean_back = true}), numbers({0, 1.79289322, 3.20710678, 0})) < 1e-6);
}

TEST_CASE("algo: what is masked is never read") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto x = numbers({nan, 1, 3, nan}).to(at::kFloat);
  const auto mask = numbers({0, 1, 1, 0}).to(at::kFloat);
  CHECK(masked_mean(x, mask) == 2.0);
  CHECK(masked_variance(x, mask, false) == 1.0);
  const auto white = masked_whiten(x, mask, {.unbiased = false, .epsilon = 0});
  CHECK(white.dtype() == at::kFloat);
  CHECK(gap(white, numbers({0, -1, 1, 0})) < 1e-6);
}

TEST_CASE("algo: whitening of equal values, of one value and of nothing is finite") {
  const auto equal = at::full({5}, 7.0, at::kDouble), all = at::ones({5}, at::kDouble);
  CHECK(gap(masked_whiten(equal, all), at::zeros({5}, at::kDouble)) == 0.0);
  CHECK(gap(masked_whiten(equal, all, {.add_mean_back = true}), equal) == 0.0);
  const auto one = numbers({0, 0, 1, 0, 0});
  CHECK(masked_variance(equal, one) == 0.0);
  CHECK(gap(masked_whiten(equal, one), at::zeros({5}, at::kDouble)) == 0.0);
  CHECK(gap(masked_whiten(equal, at::zeros({5}, at::kDouble)), at::zeros({5}, at::kDouble)) == 0.0);
}

TEST_CASE("algo: adding a constant leaves whitened values unchanged") {
  const auto x = at::linspace(-2, 5, 40, at::kDouble).square(), mask = at::arange(40) % 3 != 0;
  CHECK(gap(masked_whiten(x, mask), masked_whiten(x + 100, mask)) < 1e-10);
}
