#pragma once

#include <stdint.h>

#include "kernels/isa.h"

namespace hone::kernels {

/// AdamW with what is the same for all elements worked out before.
struct AdamWFactors {
  float beta2 = 0;
  float share1 = 0;  ///< 1 - beta1 and 1 - beta2, rounded once: 1 - float(0.999) would be 1.3e-5 off
  float share2 = 0;
  float eps = 0;
  float grad_scale = 0;
  float decay = 0;      ///< 1 - learning rate · weight decay
  float step_size = 0;  ///< learning rate / (1 - beta1^step)
  float correction = 0; ///< 1 / sqrt(1 - beta2^step)
};

}  // namespace hone::kernels

HONE_DECLARE_KERNEL(void, adamw_range,
                    (float* weight, const float* grad, float* first, float* second, int64_t count,
                     const AdamWFactors& factors))

/// Sum of squares; elements are added in an order that depends on `count` alone.
HONE_DECLARE_KERNEL(double, sum_of_squares, (const float* x, int64_t count))
