#pragma once

#include <stdint.h>

#include "kernels/isa.h"

namespace hone::kernels {

/// With what is the same for all elements worked out before.
struct LionFactors {
  float beta1 = 0, share1 = 0;  ///< shares are 1 - beta, rounded once
  float beta2 = 0, share2 = 0;
  float grad_scale = 0;
  float decay = 0;  ///< 1 - learning rate · weight decay
  float learning_rate = 0;
};

struct SgdFactors {
  float grad_scale = 0;
  float weight_decay = 0;
  float momentum = 0;
  float of_gradient = 0;  ///< in the step: 1 with Nesterov's look-ahead, else 0
  float of_momentum = 0;  ///< μ with it, else 1
  float learning_rate = 0;
};

}  // namespace hone::kernels

HONE_DECLARE_KERNEL(void, lion_range,
                    (float* weight, const float* grad, float* momentum, int64_t count, const LionFactors& factors))
HONE_DECLARE_KERNEL(void, sgd_range,
                    (float* weight, const float* grad, float* momentum, int64_t count, const SgdFactors& factors))
/// Without momentum.
HONE_DECLARE_KERNEL(void, plain_sgd_range, (float* weight, const float* grad, int64_t count, const SgdFactors& factors))
HONE_DECLARE_KERNEL(void, average_range, (float* average, const float* value, int64_t count, float share))
