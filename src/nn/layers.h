#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "kernels/activation/activation.h"
#include "nn/parameter_store.h"

/// The layers that policies are composed of. Each is one autograd node with a hand-written backward over src/kernels;
/// gradients of parameters are added to the store's arena. Tensors are float32 and contiguous; T counts packed rows.
/// Attention: nn/attention.h. Heads: nn/heads.h.
namespace hone {

/// [T] int32 ids → [T, D].
at::Tensor embedding(const at::Tensor& id_T, const Parameter& weight_VD);

/// y_TN = x_TK · Wᵀ + b, with the adapters of the matrix. An undefined bias means none.
at::Tensor linear(const at::Tensor& x_TK, const Parameter& weight_NK, const Parameter& bias_N = {});

enum class NormKind {
  rms,   ///< x / rms(x) · (weight + weight_offset) (Zhang and Sennrich 2019)
  layer  ///< (x - mean) / deviation · weight + bias (Ba et al. 2016)
};
struct Norm {
  NormKind kind = NormKind::rms;
  Parameter weight_D;
  Parameter bias_D;  ///< layer norm only; undefined: none
  double eps = 1e-6;
  double weight_offset = 0;  ///< RMS norm only; Gemma: 1
};

struct Normed {
  at::Tensor sum_TD;  ///< x + residual: the residual stream
  at::Tensor out_TD;  ///< its norm
};
/// Adds what the last block produced (undefined: nothing) to the stream and norms the sum.
Normed add_norm(const at::Tensor& x_TD, const at::Tensor& residual_TD, const Norm& norm);
/// The norm alone.
at::Tensor normed(const at::Tensor& x_TD, const Norm& norm);

/// A feed-forward block: out(activation(in(x))), or out(activation(gate(x)) · up(x)) where it is gated.
struct Mlp {
  Parameter in_FD;  ///< gated: [2F, D], gates first
  Parameter in_bias_F;
  Parameter out_DF;
  Parameter out_bias_D;
  kernels::Activation activation = kernels::Activation::silu;
  bool gated = true;
};
at::Tensor mlp(const at::Tensor& x_TD, const Mlp& mlp);

/// Elementwise.
at::Tensor activation(const at::Tensor& x, kernels::Activation kind);

/// x · factor; the identity when it is 1.
at::Tensor scaled(const at::Tensor& x, double factor);

/// Inverted dropout with a mask addressed by `key`; the identity when probability is 0.
at::Tensor dropout(const at::Tensor& x, double probability, std::uint64_t key);

/// The dropout of one pass, its masks addressed by the place within the pass: a part that is computed again draws the same.
struct PassDropout {
  double probability = 0;
  std::uint64_t key = 0;  ///< of the pass
  const char* stream = "dropout";
  at::Tensor operator()(const at::Tensor& x, std::uint64_t place) const;
};

/// Rows of x picked by row_M (int64), differentiable.
at::Tensor take_rows(const at::Tensor& x_TD, const at::Tensor& row_M);

}  // namespace hone
