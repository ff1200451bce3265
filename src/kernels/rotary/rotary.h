#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "kernels/attention/attention.h"

namespace hone::kernels {

/// cos and sin of position · inverse_frequency[i], times `factor`: table_P2H [positions, 2, frequencies]. Heads whose
/// head_dim is larger than twice the frequencies are rotated in their first dimensions only. Su et al. 2021; pairs are
/// (i, i + frequencies), as in Hugging Face checkpoints.
at::Tensor rotary_table(std::int64_t positions, std::span<const float> inverse_frequency, double factor = 1);
/// With the frequencies theta^(-2i/head_dim) for i in [0, head_dim/2).
at::Tensor rotary_table(std::int64_t positions, std::int64_t head_dim, double theta);

/// Optional RMS norms of each query and key head before the rotation (Qwen3); undefined: none.
struct QkNorm {
  at::Tensor query_weight_D;
  at::Tensor key_weight_D;
  double eps = 1e-6;
  double weight_offset = 0;  ///< added to the weights (Gemma 3: 1)
  bool defined() const { return query_weight_D.defined(); }
};

struct Rotated {
  at::Tensor qkv_TC;   ///< queries and keys normed and rotated, values as they were
  at::Tensor rstd_TH;  ///< [T, heads + kv_heads], undefined without norms
};

/// An undefined table means no rotation: qkv_TC itself comes back (and there can be no norms).
Rotated rotary_forward(const at::Tensor& qkv_TC, const at::Tensor& position_T, const AttentionShape& shape,
                       const at::Tensor& table_P2H, const QkNorm& norm);

/// dqkv_TC of the unrotated input. `qkv_TC` (the input of forward) and `rstd_TH` are read only with norms; then adds to
/// the two weight gradients when defined.
at::Tensor rotary_backward(const at::Tensor& drotated_TC, const at::Tensor& qkv_TC, const at::Tensor& rstd_TH,
                           const at::Tensor& position_T, const AttentionShape& shape, const at::Tensor& table_P2H,
                           const QkNorm& norm, at::Tensor& dquery_weight_D, at::Tensor& dkey_weight_D);

}  // namespace hone::kernels
