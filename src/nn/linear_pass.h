#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "nn/parameter_store.h"

namespace hone {

/// One use of a weight matrix inside a layer: forward, and what its backward needs. Layers that fuse several products
/// (the MLP) and the plain linear layer share it, so an adapter reaches all of them.
class LinearPass {
 public:
  LinearPass(const Parameter& weight_NK, const Parameter& bias_N) : weight_(weight_NK), bias_(bias_N) {}

  /// y = x·Wᵀ + b and the adapters' shares. `keep`: backward will follow.
  at::Tensor forward(const at::Tensor& x_TK, bool keep);

  /// Whether x of forward, and dy of backward, may be rounded to bfloat16 before, with the same result: nothing but
  /// products in bfloat16 reads them.
  bool rounds_input() const {
    return weight_.adapters().empty() && weight_.packed().compute() == kernels::Compute::bfloat16;
  }
  bool rounds_gradient() const { return rounds_input() && !bias_.defined(); }

  /// Adds the gradients of all parameters to the arena and returns dx. `x_TK` as in forward.
  at::Tensor backward(const at::Tensor& dy_TN, const at::Tensor& x_TK) const;

  /// The same in two steps, where x is computed again from what dx gives. Not of a matrix with adapters.
  bool adapted() const { return !shares_.empty(); }
  at::Tensor backward_input(const at::Tensor& dy_TN) const;
  void backward_parameters(const at::Tensor& dy_TN, const at::Tensor& x_TK) const;

 private:
  struct Share {  ///< of one adapter
    LowRankAdapter adapter;
    at::Tensor low_TR;
    at::Tensor before_magnitude_TN;  ///< DoRA: what the magnitude scales
  };
  void add_share(const at::Tensor& x_TK, const LowRankAdapter& adapter, at::Tensor& y_TN, bool keep);
  at::Tensor through_magnitude(const Share& share, const at::Tensor& dy_TN) const;
  void backward_share(const Share& share, const at::Tensor& dy_TN, const at::Tensor& x_TK, at::Tensor& dx_TK) const;
  at::Tensor dropped(const at::Tensor& x_TK) const;

  Parameter weight_, bias_;
  AdapterUse use_;
  std::vector<Share> shares_;
};

}  // namespace hone
