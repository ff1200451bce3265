#include "algo/distillation_loss.h"

#include <cmath>

#include "algo/packed.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr Divergence all[] = {Divergence::forward_kl, Divergence::reverse_kl, Divergence::jsd};

/// KL(p‖q) of two coins.
double kl(double p, double q) { return p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q)); }

at::Tensor logits_of(double p) { return numbers({std::log(p), std::log(1 - p)}).view({1, 2}); }

double divergence(double student, double teacher, const DivergenceOptions& options) {
  at::Tensor logits = logits_of(student);
  return divergence_of_rows(logits, logits_of(teacher), options, false).item<double>();
}

}  // namespace

TEST_CASE("algo: divergences between two coins are their formulas") {
  CHECK(divergence(0.3, 0.8, {.divergence = Divergence::forward_kl}) == doctest::Approx(kl(0.8, 0.3)));
  CHECK(divergence(0.3, 0.8, {.divergence = Divergence::reverse_kl}) == doctest::Approx(kl(0.3, 0.8)));
  const double mixture = 0.25 * 0.8 + 0.75 * 0.3;
  CHECK(divergence(0.3, 0.8, {.divergence = Divergence::jsd, .jsd_weight = 0.25}) ==
        doctest::Approx(0.25 * kl(0.8, mixture) + 0.75 * kl(0.3, mixture)));
  for (const Divergence kind : all) CHECK(std::abs(divergence(0.4, 0.4, {.divergence = kind})) < 1e-15);
  // Logits halved: odds of 9 become odds of 3.
  CHECK(divergence(0.9, 0.5, {.divergence = Divergence::reverse_kl, .temperature = 2}) ==
        doctest::Approx(kl(0.75, 0.5)));
}

TEST_CASE("algo: the gradient of a divergence is its slope in every logit") {
  const at::Tensor student = at::randn({3, 7}, at::kDouble), teacher = at::randn({3, 7}, at::kDouble) * 2;
  for (const Divergence kind : all) {
    CAPTURE(static_cast<int>(kind));
    const DivergenceOptions options{.divergence = kind, .jsd_weight = 0.3, .temperature = 1.7};
    at::Tensor gradient = student.clone();
    divergence_of_rows(gradient, teacher, options, true);
    const auto total = [&](std::int64_t row, std::int64_t entry, double step) {
      at::Tensor moved = student.clone();
      moved[row][entry] += step;
      return divergence_of_rows(moved, teacher, options, false).sum().item<double>();
    };
    constexpr double step = 1e-5;
    for (std::int64_t row = 0; row < 3; ++row) {
      for (std::int64_t entry = 0; entry < 7; ++entry) {
        const double slope = (total(row, entry, step) - total(row, entry, -step)) / (2 * step);
        CHECK(gradient[row][entry].item<double>() == doctest::Approx(slope).epsilon(1e-6));
      }
    }
  }
}
