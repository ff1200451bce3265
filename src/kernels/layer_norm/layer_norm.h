#pragma once

#include <ATen/ATen.h>

namespace hone::kernels {

struct LayerNorm {
  at::Tensor sum_TD;   ///< x + residual (x itself when there is no residual)
  at::Tensor out_TD;   ///< (sum - mean) · rstd · weight + bias
  at::Tensor mean_T;   ///< of each row of sum
  at::Tensor rstd_T;   ///< 1 / sqrt(variance + eps), the variance divided by D
};

/// Layer norm of x plus an optional residual, Ba, Kiros and Hinton 2016, eq. 4. `residual_TD` and `bias_D` may be
/// undefined: none.
LayerNorm layer_norm_forward(const at::Tensor& x_TD, const at::Tensor& residual_TD, const at::Tensor& weight_D,
                             const at::Tensor& bias_D, double eps);

/// dsum_TD = dout's share + dsum_extra_TD (undefined: none). Adds to dweight_D and dbias_D, each when defined. Reads
/// sum, mean and rstd of `forward`.
at::Tensor layer_norm_backward(const at::Tensor& dout_TD, const at::Tensor& dsum_extra_TD, const LayerNorm& forward,
                               const at::Tensor& weight_D, at::Tensor& dweight_D, at::Tensor& dbias_D);

}  // namespace hone::kernels
