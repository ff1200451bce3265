#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "kernels/attention/attention.h"
#include "nn/kv_cache.h"
#include "nn/parameter_store.h"

namespace hone {

/// What one layer's attention is, beside the matrices around it.
struct Attention {
  kernels::AttentionShape shape;
  kernels::AttentionKind kind = kernels::AttentionKind::causal;
  std::int64_t window = 0;         ///< as in AttentionPlan; 0: none
  double scale = 0;                ///< of the scores; 0: 1 / sqrt(head_dim)
  double soft_cap = 0;             ///< of the scores; 0: none
  at::Tensor rotary_table_P2H;     ///< undefined: no rotary embedding
  Parameter query_norm_D;          ///< RMS norm of each head before the rotation; undefined: none
  Parameter key_norm_D;
  double norm_eps = 1e-6;
  double norm_weight_offset = 0;
};

/// Rotary embedding and attention of fused qkv_TC → [T, heads·head_dim]. With a cache (and a plan that is cached) it
/// writes the new keys and values of `layer` first; gradients must be off then. `bias_HR` (undefined: none) is the
/// relative position bias of AttentionPlan; it gets a gradient.
at::Tensor attention(const at::Tensor& qkv_TC, const Attention& config, const kernels::AttentionPlan& plan,
                     KvCache* cache, std::int64_t layer, const at::Tensor& bias_HR = {});

/// Every query of a sequence sees all keys of the source sequence: q_TE, kv_UC (keys then values) → [T, heads·head_dim].
/// `plan` has start_S1 of the queries and key_start_S1 of the source.
at::Tensor cross_attention(const at::Tensor& q_TE, const at::Tensor& kv_UC, const Attention& config,
                           const kernels::AttentionPlan& plan);

/// weight_BH of `buckets` distances → bias_HR for sequences of at most `longest` tokens (T5: Raffel et al. 2020, §2.1).
/// Distances beyond `max_distance` share the last bucket; `bidirectional` gives keys behind and ahead half of them each.
at::Tensor relative_bias(const Parameter& weight_BH, std::int64_t longest, std::int64_t max_distance,
                         bool bidirectional);

}  // namespace hone
