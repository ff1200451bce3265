#include "algo/loss_rows.h"

#include "algo/packed.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int64_t kLength = 5;
const std::vector<std::int64_t> kLengths = {3, 2, 4};
at::Tensor mask() { return numbers({0, 1, 1, 0, 0, 1, 1, 1, 0}).to(at::kFloat); }

}  // namespace

TEST_CASE("algo: a row's sequence, and the counted rows with their weights") {
  const auto start = starts_of(kLengths);
  CHECK(gap(sequence_of_rows(start), numbers({0, 0, 0, 1, 1, 2, 2, 2, 2})) == 0.0);

  CHECK(loss_denominator(Aggregation::token_mean, start, mask()) == 5.0);
  const auto token = loss_rows(Aggregation::token_mean, start, mask(), 5.0);
  CHECK(gap(token.index_M, numbers({1, 2, 5, 6, 7})) == 0.0);
  CHECK(gap(token.sequence_M, numbers({0, 0, 2, 2, 2})) == 0.0);
  CHECK(gap(token.weight_M, at::full({5}, .2, at::kDouble)) < 1e-15);

  CHECK(loss_denominator(Aggregation::sequence_mean, start, mask()) == 2.0);
  const auto sequence = loss_rows(Aggregation::sequence_mean, start, mask(), 2.0);
  CHECK(gap(sequence.weight_M, numbers({.25, .25, 1 / 6., 1 / 6., 1 / 6.})) < 1e-15);

  CHECK(loss_denominator(Aggregation::constant_length, start, mask(), kLength) == 10.0);
  const auto constant = loss_rows(Aggregation::constant_length, start, mask(), 10.0);
  CHECK(gap(constant.weight_M, at::full({5}, .1, at::kDouble)) < 1e-15);
}

TEST_CASE("algo: row factors multiply the weights, and the sum carries the gradient") {
  const auto factor = at::arange(9, at::kFloat);
  const auto rows = loss_rows(Aggregation::token_mean, starts_of(kLengths), mask(), 5.0, factor);
  CHECK(gap(rows.weight_M, numbers({.2, .4, 1, 1.2, 1.4})) < 1e-7);
  const auto stream = leaf(at::ones({9}));
  const auto sum = rows.weighted_sum(rows.select(stream));
  CHECK(sum.item<double>() == doctest::Approx(4.2));
  sum.backward();
  CHECK(gap(stream.grad(), numbers({0, .2, .4, 0, 0, 1, 1.2, 1.4, 0})) < 1e-7);
}

TEST_CASE("algo: parts of a minibatch add up to the whole in every aggregation") {
  const auto start = starts_of(kLengths);
  const auto loss = at::rand({9}, at::kDouble);
  for (const auto kind : {Aggregation::token_mean, Aggregation::sequence_mean, Aggregation::constant_length}) {
    const double denominator = loss_denominator(kind, start, mask(), kLength);
    const auto all = loss_rows(kind, start, mask(), denominator);
    const double whole = all.weighted_sum(all.select(loss)).item<double>();
    double parts = 0, parts_denominator = 0;
    std::int64_t begin = 0;
    for (const auto length : kLengths) {
      const auto part_mask = mask().narrow(0, begin, length);
      parts_denominator += loss_denominator(kind, starts_of({length}), part_mask, kLength);
      const auto rows = loss_rows(kind, starts_of({length}), part_mask, denominator);
      parts += rows.weighted_sum(rows.select(loss.narrow(0, begin, length))).item<double>();
      begin += length;
    }
    CHECK(parts_denominator == denominator);
    CHECK(parts == doctest::Approx(whole).epsilon(1e-14));
  }
}

TEST_CASE("algo: a micro-batch without counted rows is worth 0, a minibatch without them is an error") {
  const auto none = at::zeros({9}, at::kFloat);
  const auto rows = loss_rows(Aggregation::token_mean, starts_of(kLengths), none, 5.0);
  CHECK(rows.size() == 0);
  CHECK(rows.weighted_sum(rows.select(none)).item<double>() == 0.0);
  for (const auto kind : {Aggregation::token_mean, Aggregation::sequence_mean, Aggregation::constant_length}) {
    const double denominator = loss_denominator(kind, starts_of(kLengths), none, kLength);
    CHECK(denominator == 0.0);
    HONE_CHECK_ERROR(data, loss_rows(kind, starts_of(kLengths), none, denominator), "every label is masked");
  }
}
