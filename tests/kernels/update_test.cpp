#include "kernels/update/update.h"

#include <algorithm>

#undef CHECK
#include <doctest/doctest.h>

#include "base/threads.h"

using namespace hone;
using namespace hone::kernels;

namespace {

at::Tensor random(std::int64_t count, std::uint64_t seed) {
  return at::randn({count}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

/// `update` (lion_update, sgd_update) over flat tensors, in parts of at most `most` values.
template <class Rule, class Update>
void in_parts(const Update& update, at::Tensor& weight, const at::Tensor& grad, at::Tensor& momentum, const Rule& rule,
              std::int64_t most) {
  float* const m = momentum.defined() ? momentum.data_ptr<float>() : nullptr;
  for (std::int64_t i = 0; i < weight.numel(); i += most) {
    update(weight.data_ptr<float>() + i, grad.data_ptr<float>() + i, m == nullptr ? m : m + i,
           std::min(most, weight.numel() - i), rule);
  }
}

void lion(at::Tensor& weight, const at::Tensor& grad, at::Tensor& momentum, const Lion& rule, std::int64_t most = 1 << 20) {
  in_parts(lion_update, weight, grad, momentum, rule, most);
}

void sgd(at::Tensor& weight, const at::Tensor& grad, at::Tensor& momentum, const Sgd& rule, std::int64_t most = 1 << 20) {
  in_parts(sgd_update, weight, grad, momentum, rule, most);
}

double gap(const at::Tensor& a, const at::Tensor& b) { return (a.to(at::kDouble) - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("kernels: Lion, SGD and the moving average follow their formulas in float64, tails included") {
  constexpr std::int64_t count = 40007;
  at::Tensor lion_x = random(count, 1), lion_m = at::zeros({count}), sgd_x = random(count, 2),
             sgd_m = at::zeros({count}), plain = random(count, 3), none, mean = random(count, 4);
  at::Tensor lion_w = lion_x.to(at::kDouble), lion_v = lion_m.to(at::kDouble), sgd_w = sgd_x.to(at::kDouble),
             sgd_v = sgd_m.to(at::kDouble), plain_w = plain.to(at::kDouble), mean_w = mean.to(at::kDouble);
  for (std::uint64_t step = 0; step < 30; ++step) {
    const at::Tensor grad = random(count, 100 + step), g = grad.to(at::kDouble) * 0.25;
    // The sign of a sum that is almost 0 may differ: it is taken from the kernel's own momentum.
    const at::Tensor sign = (0.9F * lion_m + static_cast<float>(1 - 0.9) * (grad * 0.25F)).sign().to(at::kDouble);
    lion(lion_x, grad, lion_m, {.learning_rate = 0.01, .weight_decay = 0.1, .grad_scale = 0.25});
    lion_w = lion_w * (1 - 0.001) - 0.01 * sign;
    lion_v = 0.99 * lion_v + 0.01 * g;
    sgd(sgd_x, grad, sgd_m,
        {.learning_rate = 0.01, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1, .grad_scale = 0.25});
    const at::Tensor decayed = g + 0.1 * sgd_w;
    sgd_v = 0.9 * sgd_v + decayed;
    sgd_w = sgd_w - 0.01 * (decayed + 0.9 * sgd_v);
    sgd(plain, grad, none, {.learning_rate = 0.01, .weight_decay = 0.1, .grad_scale = 0.25});
    plain_w = plain_w - 0.01 * (g + 0.1 * plain_w);
    move_average(mean, grad, 0.05);
    mean_w = mean_w + 0.05 * (grad.to(at::kDouble) - mean_w);
  }
  CHECK((lion_x.to(at::kDouble) - lion_w).abs().gt(1e-5).sum().item<std::int64_t>() <= 2);
  CHECK(gap(lion_m, lion_v) < 1e-6);
  CHECK(gap(sgd_x, sgd_w) < 1e-5);
  CHECK(gap(sgd_m, sgd_v) < 1e-5);
  CHECK(gap(plain, plain_w) < 1e-5);
  CHECK(gap(mean, mean_w) < 1e-6);
}

TEST_CASE("kernels: a gradient and momentum of 0 leave Lion's weight but for its decay") {
  at::Tensor weight = at::ones({33}), momentum = at::zeros({33});
  lion(weight, at::zeros({33}), momentum, {.learning_rate = 0.5, .weight_decay = 0.5});
  CHECK(at::equal(weight, at::full({33}, 0.75F)));
}

TEST_CASE("kernels: the elementwise rules have the same bits however a pass is cut") {
  for (const std::int64_t count : {0, 1, 31, 20003}) {
    at::Tensor result[3];
    for (const std::int64_t most : {1 << 20, 37, 1600}) {
      at::Tensor weight = random(count, 1), momentum = random(count, 2), none;
      lion(weight, random(count, 4), momentum, {.learning_rate = 0.1, .weight_decay = 0.1, .grad_scale = 0.3}, most);
      sgd(weight, random(count, 5), momentum, {.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.1}, most);
      sgd(weight, random(count, 6), none, {.learning_rate = 0.1, .weight_decay = 0.1, .grad_scale = 0.3}, most);
      result[most == 37 ? 0 : most == 1600 ? 1 : 2] = at::cat({weight, momentum});
    }
    CHECK(at::equal(result[0], result[2]));
    CHECK(at::equal(result[1], result[2]));
  }
}

TEST_CASE("kernels: the moving average has the same bits for every number of threads") {
  for (const std::int64_t count : {0, 1, 31, 200003}) {
    at::Tensor result[2];
    for (const int team : {1, 2}) {
      set_threads(team);
      at::Tensor mean = random(count, 3);
      move_average(mean, random(count, 1), 0.3);
      result[team - 1] = mean;
    }
    CHECK(at::equal(result[0], result[1]));
  }
  set_threads(1);
}
