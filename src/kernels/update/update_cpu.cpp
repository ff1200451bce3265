#include "kernels/update/update_cpu.h"

namespace hone::kernels::HONE_ISA {

void lion_range(float* __restrict weight, const float* __restrict grad, float* __restrict momentum, int64_t count,
                const LionFactors& factors) {
  const LionFactors f = factors;
  for (int64_t i = 0; i < count; ++i) {
    const float g = grad[i] * f.grad_scale;
    const float direction = f.beta1 * momentum[i] + f.share1 * g;
    const float sign = static_cast<float>(direction > 0.0f) - static_cast<float>(direction < 0.0f);
    momentum[i] = f.beta2 * momentum[i] + f.share2 * g;
    weight[i] = weight[i] * f.decay - f.learning_rate * sign;
  }
}

void sgd_range(float* __restrict weight, const float* __restrict grad, float* __restrict momentum, int64_t count,
               const SgdFactors& factors) {
  const SgdFactors f = factors;
  for (int64_t i = 0; i < count; ++i) {
    const float g = grad[i] * f.grad_scale + f.weight_decay * weight[i];
    const float m = f.momentum * momentum[i] + g;
    momentum[i] = m;
    weight[i] -= f.learning_rate * (f.of_gradient * g + f.of_momentum * m);
  }
}

void plain_sgd_range(float* __restrict weight, const float* __restrict grad, int64_t count, const SgdFactors& factors) {
  const SgdFactors f = factors;
  for (int64_t i = 0; i < count; ++i) {
    weight[i] -= f.learning_rate * (grad[i] * f.grad_scale + f.weight_decay * weight[i]);
  }
}

void average_range(float* __restrict average, const float* __restrict value, int64_t count, float share) {
  for (int64_t i = 0; i < count; ++i) average[i] += share * (value[i] - average[i]);
}

}  // namespace hone::kernels::HONE_ISA
