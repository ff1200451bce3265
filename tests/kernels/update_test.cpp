#include "kernels/update/update.h"

#undef CHECK
#include <doctest/doctest.h>

#include "base/threads.h"

using namespace hone;
using namespace hone::kernels;

namespace {

at::Tensor random(std::int64_t count, std::uint64_t seed) {
  return at::randn({count}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

double gap(const at::Tensor& a, const at::Tensor& b) { return (a.to(at::kDouble) - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("kernels: Lion, SGD and the moving average follow their formulas in float64, tails included") {
  constexpr std::int64_t count = 40007;
  at::Tensor lion = random(count, 1), lion_m = at::zeros({count}), sgd = random(count, 2), sgd_m = at::zeros({count}),
             plain = random(count, 3), none, mean = random(count, 4);
  at::Tensor lion_w = lion.to(at::kDouble), lion_v = lion_m.to(at::kDouble), sgd_w = sgd.to(at::kDouble),
             sgd_v = sgd_m.to(at::kDouble), plain_w = plain.to(at::kDouble), mean_w = mean.to(at::kDouble);
  for (std::uint64_t step = 0; step < 30; ++step) {
    const at::Tensor grad = random(count, 100 + step), g = grad.to(at::kDouble) * 0.25;
    // The sign of a sum that is almost 0 may differ: it is taken from the kernel's own momentum.
    const at::Tensor sign = (0.9F * lion_m + static_cast<float>(1 - 0.9) * (grad * 0.25F)).sign().to(at::kDouble);
    lion_update(lion, grad, lion_m, {.learning_rate = 0.01, .weight_decay = 0.1, .grad_scale = 0.25});
    lion_w = lion_w * (1 - 0.001) - 0.01 * sign;
    lion_v = 0.99 * lion_v + 0.01 * g;
    sgd_update(sgd, grad, sgd_m,
               {.learning_rate = 0.01, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1, .grad_scale = 0.25});
    const at::Tensor decayed = g + 0.1 * sgd_w;
    sgd_v = 0.9 * sgd_v + decayed;
    sgd_w = sgd_w - 0.01 * (decayed + 0.9 * sgd_v);
    sgd_update(plain, grad, none, {.learning_rate = 0.01, .weight_decay = 0.1, .grad_scale = 0.25});
    plain_w = plain_w - 0.01 * (g + 0.1 * plain_w);
    move_average(mean, grad, 0.05);
    mean_w = mean_w + 0.05 * (grad.to(at::kDouble) - mean_w);
  }
  CHECK((lion.to(at::kDouble) - lion_w).abs().gt(1e-5).sum().item<std::int64_t>() <= 2);
  CHECK(gap(lion_m, lion_v) < 1e-6);
  CHECK(gap(sgd, sgd_w) < 1e-5);
  CHECK(gap(sgd_m, sgd_v) < 1e-5);
  CHECK(gap(plain, plain_w) < 1e-5);
  CHECK(gap(mean, mean_w) < 1e-6);
}

TEST_CASE("kernels: a gradient and momentum of 0 leave Lion's weight but for its decay") {
  at::Tensor weight = at::ones({33}), momentum = at::zeros({33});
  lion_update(weight, at::zeros({33}), momentum, {.learning_rate = 0.5, .weight_decay = 0.5});
  CHECK(at::equal(weight, at::full({33}, 0.75F)));
}

TEST_CASE("kernels: the elementwise rules have the same bits for every number of threads") {
  for (const std::int64_t count : {0, 1, 31, 200003}) {
    at::Tensor result[2];
    for (const int team : {1, 2}) {
      set_threads(team);
      at::Tensor weight = random(count, 1), momentum = random(count, 2), mean = random(count, 3);
      lion_update(weight, random(count, 4), momentum, {.learning_rate = 0.1, .weight_decay = 0.1});
      sgd_update(weight, random(count, 5), momentum, {.learning_rate = 0.1, .momentum = 0.9});
      move_average(mean, weight, 0.3);
      result[team - 1] = at::cat({weight, momentum, mean});
    }
    CHECK(at::equal(result[0], result[1]));
  }
  set_threads(1);
}
