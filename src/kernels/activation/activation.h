#pragma once

#include <ATen/ATen.h>

#include "kernels/activation/kind.h"

/// Activations of multilayer perceptrons. Every element depends on its own inputs alone.
namespace hone::kernels {

at::Tensor activation_forward(const at::Tensor& x_TF, Activation activation);
/// dx_TF, from the input of the forward pass.
at::Tensor activation_backward(const at::Tensor& dout_TF, const at::Tensor& x_TF, Activation activation);

/// activation(gate) · up, where row t of gate_up_T2F is F gates then F ups (Shazeer 2020: SwiGLU, GEGLU, ReGLU). In
/// float32, or in bfloat16 for a product that would round it: to nearest, ties to even.
at::Tensor gated_forward(const at::Tensor& gate_up_T2F, Activation activation, at::ScalarType result = at::kFloat);
at::Tensor gated_backward(const at::Tensor& dout_TF, const at::Tensor& gate_up_T2F, Activation activation);

}  // namespace hone::kernels
