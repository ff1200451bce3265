#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace hone::kernels {

struct AdamW {
  double learning_rate = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;  ///< decoupled
  std::int64_t step = 1;    ///< of this update, from 1: bias correction
  double grad_scale = 1;    ///< multiplies the gradient (clipping, accumulation)
};

/// One pass over flat float32 tensors of equal length (Loshchilov and Hutter 2019, algorithm 2).
void adamw_update(at::Tensor& weight, const at::Tensor& grad, at::Tensor& first, at::Tensor& second,
                  const AdamW& rule);

/// The same of plain arrays, on the calling thread.
void adamw_update(float* weight, const float* grad, float* first, float* second, std::int64_t count, const AdamW& rule);

/// Sum of squares in double precision; the same bits for every number of threads. NaN or infinite when an element is.
double squared_norm(const at::Tensor& flat);

}  // namespace hone::kernels
