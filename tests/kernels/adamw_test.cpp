#include "kernels/adamw/adamw.h"

#include <cmath>
#include <cstring>
#include <limits>

#undef CHECK
#include <doctest/doctest.h>

#include "base/threads.h"

using namespace hone;
using namespace hone::kernels;

namespace {

at::Tensor random(std::int64_t count, std::uint64_t seed) {
  return at::randn({count}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

/// Loshchilov and Hutter 2019, algorithm 2, in float64.
struct Reference {
  at::Tensor weight, first, second;
  void update(const at::Tensor& grad, const AdamW& rule) {
    const at::Tensor g = grad.to(at::kDouble) * rule.grad_scale;
    const auto step = static_cast<double>(rule.step);
    first = rule.beta1 * first + (1 - rule.beta1) * g;
    second = rule.beta2 * second + (1 - rule.beta2) * g * g;
    const at::Tensor m = first / (1 - std::pow(rule.beta1, step));
    const at::Tensor v = second / (1 - std::pow(rule.beta2, step));
    weight = weight - rule.learning_rate * (m / (v.sqrt() + rule.eps) + rule.weight_decay * weight);
  }
};

}  // namespace

TEST_CASE("kernels: AdamW follows the formula in float64 over 200 steps") {
  constexpr std::int64_t count = 40007;
  for (const double weight_decay : {0.0, 0.1}) {
    at::Tensor weight = random(count, 1);
    at::Tensor first = at::zeros({count});
    at::Tensor second = at::zeros({count});
    Reference reference{weight.to(at::kDouble), first.to(at::kDouble), second.to(at::kDouble)};
    AdamW rule;
    rule.weight_decay = weight_decay;
    rule.grad_scale = 0.25;
    for (std::int64_t step = 1; step <= 200; ++step) {
      const at::Tensor grad = random(count, 100 + static_cast<std::uint64_t>(step));
      rule.step = step;
      rule.learning_rate = 1e-2 / static_cast<double>(step);
      adamw_update(weight, grad, first, second, rule);
      reference.update(grad, rule);
    }
    CHECK((weight.to(at::kDouble) - reference.weight).abs().max().item<double>() < 1e-5);
    CHECK((first.to(at::kDouble) - reference.first).abs().max().item<double>() < 1e-6);
    CHECK((second.to(at::kDouble) - reference.second).abs().max().item<double>() < 1e-6);
  }
}

TEST_CASE("kernels: AdamW and the norm have the same bits for every number of threads") {
  for (const std::int64_t count : {0, 1, 31, 16384, 200003}) {
    at::Tensor result[2];
    double norm[2];
    for (const int team : {1, 2}) {
      set_threads(team);
      at::Tensor weight = random(count, 1);
      at::Tensor first = random(count, 3);
      at::Tensor second = random(count, 4).abs();
      AdamW rule;
      rule.learning_rate = 1e-3;
      rule.step = 3;
      adamw_update(weight, random(count, 2), first, second, rule);
      result[team - 1] = weight;
      norm[team - 1] = squared_norm(weight);
    }
    CHECK(at::equal(result[0], result[1]));
    CHECK(norm[0] == norm[1]);
    const double expected = result[0].to(at::kDouble).square().sum().item<double>();
    CHECK(norm[0] == doctest::Approx(expected).epsilon(1e-13));
  }
  set_threads(1);
}

TEST_CASE("kernels: the squared norm of something not finite is not finite, and large values do not overflow") {
  at::Tensor x = random(50000, 1);
  x[49999] = std::numeric_limits<float>::infinity();
  CHECK(std::isinf(squared_norm(x)));
  x[20000] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(squared_norm(x)));
  CHECK(squared_norm(at::full({4}, 3e38F)) == doctest::Approx(4 * 9e76));
}
