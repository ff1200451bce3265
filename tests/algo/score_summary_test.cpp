#include "algo/score_summary.h"

#include <limits>

#include "algo/packed.h"

using namespace hone;
using namespace hone::test;

TEST_CASE("algo: failed and non-finite scores are counted, never read as 0") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto valid = at::tensor(std::vector<int>{1, 1, 1, 0, 1}).to(at::kBool);
  const auto summary = summarize_scores(numbers({1, nan, 3, 100, 2}), valid);
  CHECK(summary.count == 3);
  CHECK(summary.failed == 1);
  CHECK(summary.non_finite == 1);
  CHECK(summary.mean == 2.0);
  CHECK(summary.std == doctest::Approx(1.0));
  CHECK(summary.min == 1.0);
  CHECK(summary.max == 3.0);
  CHECK(gap(summary.usable_S, numbers({1, 0, 1, 0, 1})) == 0.0);
  CHECK(summary.complaint().find("1 of 5 scores are NaN") != std::string::npos);
}

TEST_CASE("algo: scores that teach nothing are called out") {
  CHECK(summarize_scores(numbers({0, 0, 0}), {}).complaint().find("all 3 scores are 0") != std::string::npos);
  CHECK(summarize_scores(numbers({.5, .5}), {}).complaint().find("equal 0.5") != std::string::npos);
  const auto none = summarize_scores(numbers({1, 2}), at::zeros({2}, at::kBool));
  CHECK(none.count == 0);
  CHECK(none.complaint().find("none of 2 scores can be used") != std::string::npos);
  CHECK(summarize_scores(numbers({0, 1}), {}).complaint().empty());
}
