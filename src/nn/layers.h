#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "kernels/attention/attention.h"
#include "kernels/lm_head/lm_head.h"
#include "nn/kv_cache.h"
#include "nn/parameter_store.h"

/// The layers that policies are composed of. Each is one autograd node with a hand-written backward over src/kernels;
/// gradients of parameters are added to the store's arena. Tensors are float32 and contiguous; T counts packed rows.
namespace hone {

/// [T] int32 ids → [T, D].
at::Tensor embedding(const at::Tensor& id_T, const Parameter& weight_VD);

/// y_TN = x_TK · Wᵀ + b. An undefined bias means none.
at::Tensor linear(const at::Tensor& x_TK, const Parameter& weight_NK, const Parameter& bias_N = {});

struct Normed {
  at::Tensor sum_TD;  ///< x + residual: the residual stream
  at::Tensor out_TD;  ///< its RMS norm
};
/// Adds what the last block produced (undefined: nothing) to the stream and norms the sum.
Normed add_rms_norm(const at::Tensor& x_TD, const at::Tensor& residual_TD, const Parameter& weight_D, double eps);

/// cos and sin of every position below `positions`, for RotaryAttention.
at::Tensor rotary_table(std::int64_t positions, std::int64_t head_dim, double theta);

struct RotaryAttention {
  kernels::AttentionShape shape;
  at::Tensor table_P2H;     ///< rotary_table
  Parameter query_norm_D;   ///< undefined: no q/k norm
  Parameter key_norm_D;
  double norm_eps = 1e-6;
};
/// Rotary embedding and attention of fused qkv_TC → [T, heads·head_dim]. With a cache (and a plan that is cached) it
/// writes the new keys and values of `layer` first; gradients must be off then.
at::Tensor rotary_attention(const at::Tensor& qkv_TC, const RotaryAttention& config,
                            const kernels::AttentionPlan& plan, KvCache* cache, std::int64_t layer);

/// down(silu(gate(x)) · up(x)); `gate_up` is [2F, D], gates first.
at::Tensor gated_mlp(const at::Tensor& x_TD, const Parameter& gate_up, const Parameter& down);

/// Inverted dropout with a mask addressed by `key`; the identity when probability is 0.
at::Tensor dropout(const at::Tensor& x, double probability, std::uint64_t key);

/// Log-probability of target_M (and entropy) under softmax(hidden · Wᵀ · inverse_temperature), differentiable; the
/// logits of all rows never exist at once. entropy_M is undefined unless asked for.
kernels::TokenStatistics token_statistics(const at::Tensor& hidden_MD, const Parameter& weight_VD,
                                          const at::Tensor& target_M, double inverse_temperature, bool with_entropy);

/// Rows of x picked by row_M (int64), differentiable.
at::Tensor take_rows(const at::Tensor& x_TD, const at::Tensor& row_M);

}  // namespace hone
