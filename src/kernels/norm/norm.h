#pragma once

#include <ATen/ATen.h>

namespace hone::kernels {

struct RmsNorm {
  at::Tensor sum_TD;  ///< x + residual (x itself when there is no residual)
  at::Tensor out_TD;  ///< sum · rstd · weight
  at::Tensor rstd_T;  ///< 1 / sqrt(mean(sum²) + eps)
};

/// Root-mean-square norm of x plus an optional residual (undefined: none), Zhang and Sennrich 2019, eq. 4.
RmsNorm rms_norm_forward(const at::Tensor& x_TD, const at::Tensor& residual_TD, const at::Tensor& weight_D, double eps);

/// dsum_TD = dout's share + dsum_extra_TD (undefined: none); adds to dweight_D when defined.
at::Tensor rms_norm_backward(const at::Tensor& dout_TD, const at::Tensor& dsum_extra_TD, const RmsNorm& forward,
                             const at::Tensor& weight_D, at::Tensor& dweight_D);

}  // namespace hone::kernels
