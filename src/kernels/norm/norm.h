#pragma once

#include <ATen/ATen.h>

namespace hone::kernels {

struct RmsNorm {
  at::Tensor sum_TD;  ///< x + residual (x itself when there is no residual)
  at::Tensor out_TD;  ///< sum · rstd · (weight + weight_offset)
  at::Tensor rstd_T;  ///< 1 / sqrt(mean(sum²) + eps)
};

/// Root-mean-square norm of x plus an optional residual (undefined: none), Zhang and Sennrich 2019, eq. 4.
/// `weight_offset` is 1 where checkpoints store the scale's distance from 1 (Gemma).
RmsNorm rms_norm_forward(const at::Tensor& x_TD, const at::Tensor& residual_TD, const at::Tensor& weight_D, double eps,
                         double weight_offset = 0);

/// dsum_TD = dout's share + dsum_extra_TD (undefined: none); adds to dweight_D when defined.
at::Tensor rms_norm_backward(const at::Tensor& dout_TD, const at::Tensor& dsum_extra_TD, const RmsNorm& forward,
                             const at::Tensor& weight_D, at::Tensor& dweight_D, double weight_offset = 0);

}  // namespace hone::kernels
