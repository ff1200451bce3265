#pragma once

#include "kernels/activation/activation.h"

namespace hone::kernels {

struct GatedGradient {
  at::Tensor dgate_up_T2F;
  at::Tensor out_TF;  ///< of the forward pass
};

/// gated_backward and, in the same pass, gated_forward again with the same bits: for a backward pass that did not keep it.
/// Both in float32, or both in bfloat16.
GatedGradient gated_backward_with_forward(const at::Tensor& dout_TF, const at::Tensor& gate_up_T2F,
                                          Activation activation, at::ScalarType result = at::kFloat);

}  // namespace hone::kernels
