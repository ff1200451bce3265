#pragma once

#include <ATen/ATen.h>

namespace hone::kernels {

/// One pass each over float32 values, which do not depend on each other: the bits do not depend on how a pass is cut.

struct Lion {
  double learning_rate = 0;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0;  ///< decoupled
  double grad_scale = 1;    ///< multiplies the gradient
};

/// Chen et al. 2023, algorithm 2: w ← (1 - ηλ)·w - η·sign(β₁m + (1 - β₁)g), m ← β₂m + (1 - β₂)g.
void lion_update(float* weight, const float* grad, float* momentum, std::int64_t count, const Lion& rule);

struct Sgd {
  double learning_rate = 0;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;  ///< part of the gradient
  double grad_scale = 1;
};

/// g ← g + λw; m ← μm + g; w ← w - η·m, or with nesterov w ← w - η·(g + μm). `momentum` is null when μ is 0.
void sgd_update(float* weight, const float* grad, float* momentum, std::int64_t count, const Sgd& rule);

/// average ← average + share·(value - average), of flat tensors of equal length.
void move_average(at::Tensor& average, const at::Tensor& value, double share);

}  // namespace hone::kernels
