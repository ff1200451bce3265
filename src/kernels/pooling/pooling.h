#pragma once

#include <ATen/ATen.h>

/// One vector a sequence. Rows start[s] … start[s+1] of x_TD are those of sequence s; each has at least one. The bits
/// of a sequence depend on its rows only.
namespace hone::kernels {

enum class Pooling {
  mean,
  max,            ///< of each dimension; the first of equal ones gets the gradient, a NaN wins
  first,          ///< BERT's [CLS]
  last,           ///< what a causal model knows at the end
  weighted_mean,  ///< row i of n weighs i + 1, over n(n + 1)/2: later rows of a causal model know more (Muennighoff
                  ///< 2022)
};

struct Pooled {
  at::Tensor out_SD;
  at::Tensor row_SD;  ///< int32: the row of each maximum; undefined for the others
};
Pooled pool_forward(const at::Tensor& x_TD, const at::Tensor& start_S1, Pooling pooling);

/// dx_TD. `forward` is read by max only.
at::Tensor pool_backward(const at::Tensor& dout_SD, const at::Tensor& start_S1, Pooling pooling, const Pooled& forward);

}  // namespace hone::kernels
