#pragma once

#include <ATen/ATen.h>

#include "kernels/linear/linear.h"

namespace hone::kernels {

/// Rows of weight_VD picked by id_T (int32). Error{data} names the first id outside [0, V).
at::Tensor embedding_forward(const at::Tensor& id_T, const at::Tensor& weight_VD);

/// The same from the only copy of a weight that does not learn.
at::Tensor embedding_forward(const at::Tensor& id_T, const PackedWeight& weight);
/// dweight_VD[id_t] += dout_t, in ascending t: deterministic.
void embedding_backward(const at::Tensor& dout_TD, const at::Tensor& id_T, at::Tensor& dweight_VD);

}  // namespace hone::kernels
