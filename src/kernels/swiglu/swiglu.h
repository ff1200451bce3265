#pragma once

#include <ATen/ATen.h>

namespace hone::kernels {

/// silu(gate) · up, where row t of gate_up_T2F is F gates then F ups (Shazeer 2020, SwiGLU).
at::Tensor swiglu_forward(const at::Tensor& gate_up_T2F);
at::Tensor swiglu_backward(const at::Tensor& dout_TF, const at::Tensor& gate_up_T2F);

}  // namespace hone::kernels
