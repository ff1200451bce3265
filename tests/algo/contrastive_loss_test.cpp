#include "algo/contrastive_loss.h"

#include <cmath>

#include "support/doctest_torch.h"

using namespace hone;

namespace {

/// Numbers between -2 and 2 without a pattern.
at::Tensor numbers(std::int64_t rows, std::int64_t columns, double seed) {
  const at::Tensor place = at::arange(rows * columns, at::kDouble).view({rows, columns});
  return 2 * (place * 12.9898 + seed).sin();
}

at::Tensor scale_of(double scale) { return at::scalar_tensor(scale, at::kDouble); }

/// Σ over anchors, written out.
double info_nce_by_hand(const at::Tensor& anchor, const at::Tensor& candidate, double scale) {
  double sum = 0;
  for (std::int64_t p = 0; p < anchor.size(0); ++p) {
    double all = 0, own = 0;
    for (std::int64_t n = 0; n < candidate.size(0); ++n) {
      const double weight = std::exp(scale * anchor[p].dot(candidate[n]).item<double>());
      all += weight;
      if (n == p) own = weight;
    }
    sum -= std::log(own / all);
  }
  return sum / static_cast<double>(anchor.size(0));
}

}  // namespace

TEST_CASE("algo: InfoNCE is what its sum says, with in-batch and hard negatives") {
  const at::Tensor anchor = numbers(4, 3, 0.1), positive = numbers(4, 3, 1.7), negative = numbers(4, 3, 2.9);
  for (const double scale : {0.5, 1.0}) {
    CHECK(info_nce_loss(anchor, positive, scale_of(scale)).item<double>() ==
          doctest::Approx(info_nce_by_hand(anchor, positive, scale)).epsilon(1e-12));
    const at::Tensor candidate = at::cat({positive, negative});
    CHECK(info_nce_loss(anchor, candidate, scale_of(scale)).item<double>() ==
          doctest::Approx(info_nce_by_hand(anchor, candidate, scale)).epsilon(1e-12));
  }
}

TEST_CASE("algo: InfoNCE of equal candidates is the logarithm of their number, and stays finite when sure") {
  const at::Tensor anchor = numbers(5, 3, 0.3), same = at::ones({5, 3}, at::kDouble);
  CHECK(info_nce_loss(anchor, same, scale_of(20)).item<double>() == doctest::Approx(std::log(5.0)));
  const at::Tensor apart = at::eye(4, at::kDouble);
  CHECK(info_nce_loss(apart, apart, scale_of(1e4)).item<double>() == doctest::Approx(0));
  const at::Tensor wrong = apart.roll(1, 0);
  CHECK(info_nce_loss(apart, wrong, scale_of(1e4)).item<double>() == doctest::Approx(1e4));
}

TEST_CASE("algo: InfoNCE's gradients, the scale's too, are those of finite differences") {
  at::Tensor anchor = numbers(3, 2, 0.1).requires_grad_(), candidate = numbers(5, 2, 1.1).requires_grad_();
  at::Tensor scale = scale_of(0.7).requires_grad_();
  info_nce_loss(anchor, candidate, scale).backward();
  const double step = 1e-5;
  const auto value = [&](const at::Tensor& a, const at::Tensor& c, const at::Tensor& s) {
    return info_nce_loss(a.detach(), c.detach(), s.detach()).item<double>();
  };
  const double by_scale = (value(anchor, candidate, scale + step) - value(anchor, candidate, scale - step)) / (2 * step);
  CHECK(scale.grad().item<double>() == doctest::Approx(by_scale).epsilon(1e-7));
  for (std::int64_t n = 0; n < 5; ++n) {
    at::Tensor moved = at::zeros({5, 2}, at::kDouble);
    moved[n][1] = step;
    const double slope = (value(anchor, candidate + moved, scale) - value(anchor, candidate - moved, scale)) / (2 * step);
    CHECK(candidate.grad()[n][1].item<double>() == doctest::Approx(slope).epsilon(1e-6));
  }
}

TEST_CASE("algo: retrieval counts anchors whose own positive is nearest; ties are misses") {
  const at::Tensor apart = at::eye(4, at::kDouble);
  CHECK(retrieval_accuracy(apart, apart) == 1);
  CHECK(retrieval_accuracy(apart, apart.roll(1, 0)) == 0);
  CHECK(retrieval_accuracy(apart, at::ones({4, 4}, at::kDouble)) == 0);
  at::Tensor hard = at::cat({apart, apart});
  hard[5] *= 2;  // a hard negative nearer to the second anchor; the others' equal their positives
  hard[4] *= 0.5, hard[6] *= 0.5, hard[7] *= 0.5;
  CHECK(retrieval_accuracy(apart, hard) == doctest::Approx(0.75));
}

TEST_CASE("algo: CoSENT sums over the pairs whose values differ") {
  const at::Tensor similarity = at::tensor({0.9, 0.2, 0.5}, at::kDouble), value = at::tensor({1.0, 3.0, 3.0}, at::kDouble);
  const double expected = std::log(1 + std::exp(20 * (0.9 - 0.2)) + std::exp(20 * (0.9 - 0.5)));
  CHECK(cosent_loss(similarity, value, 20).item<double>() == doctest::Approx(expected).epsilon(1e-12));
  CHECK(cosent_loss(similarity, at::ones({3}, at::kDouble), 20).item<double>() == doctest::Approx(0));
  CHECK(cosent_loss(similarity, similarity, 1e4).item<double>() == doctest::Approx(0));
}

TEST_CASE("algo: vectors of length 1, the zero vector among them") {
  const at::Tensor vectors = at::tensor({3.0, 4.0, 0.0, 0.0}, at::kDouble).view({2, 2});
  CHECK(at::allclose(unit_rows(vectors), at::tensor({0.6, 0.8, 0.0, 0.0}, at::kDouble).view({2, 2})));
  CHECK(similarity_error_loss(at::tensor({0.5, 1.0}, at::kDouble), at::tensor({1.0, 1.0}, at::kDouble)).item<double>() ==
        doctest::Approx(0.125));
}
