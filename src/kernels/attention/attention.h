#pragma once

#include <ATen/ATen.h>

#include <cstdint>

/// Attention over ragged sequences. Queries, keys and values arrive fused: row t of qkv_TC holds `heads` query heads,
/// then `kv_heads` key heads, then `kv_heads` value heads of head_dim floats each; query head h reads key head
/// h / (heads / kv_heads). Cross attention takes the queries and the encoder's keys and values apart.
///
/// Rows are invariant: keys are visited in blocks of kv_page counted from the start of their sequence, so a query gives
/// the same bits in a training forward, in a prefill and in a cached decode.
namespace hone::kernels {

inline constexpr std::int64_t kv_page = 32;  ///< tokens a page

struct AttentionShape {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t query_width() const { return heads * head_dim; }
  std::int64_t key_value_width() const { return 2 * kv_heads * head_dim; }
  std::int64_t fused_width() const { return query_width() + key_value_width(); }
};

enum class AttentionKind { causal, bidirectional };

/// What each query sees, and how scores are formed. The contract of every policy: what a policy needs beyond it is
/// added here, never beside it.
struct AttentionPlan {
  AttentionKind kind = AttentionKind::causal;
  /// > 0: a query sees the last `window` tokens, itself included; bidirectional also the next window - 1. So keys with
  /// |i - j| ≤ n/2 (ModernBERT's local attention of n tokens) are window = n/2 + 1.
  std::int64_t window = 0;
  double scale = 0;     ///< of q·k; 0: 1/sqrt(head_dim)
  double soft_cap = 0;  ///< > 0: scaled scores become soft_cap · tanh(score / soft_cap) (Gemma 2)
  /// [heads, 2M - 1]: bias[h][clamp(j - i, -(M-1), M-1) + M-1] is added to the (capped) score of the query at position
  /// i and the key at position j (T5). Undefined: none. Not for cross attention.
  at::Tensor bias_HR;
  at::Tensor start_S1;    ///< int32: rows of sequence s are start[s] … start[s+1]
  at::Tensor position_T;  ///< int32: position of each row in its sequence (cached tokens counted)
  /// Cached decode: rows continue sequences whose first past_S tokens are in the cache. Undefined: no cache.
  at::Tensor past_S;   ///< int32
  at::Tensor page_SN;  ///< int32: pages of each sequence in order; enough for past + new tokens
  /// Cross attention: rows of the encoder's keys and values that belong to sequence s, or their number once they are in
  /// pages. A sequence with queries has at least one.
  at::Tensor key_start_S1;  ///< int32
  at::Tensor key_length_S;  ///< int32

  bool cached() const { return page_SN.defined(); }
  std::int64_t sequences() const { return start_S1.size(0) - 1; }
};

/// Keys and values of one layer in pages.
struct KvPages {
  at::Tensor key_PHDB;    ///< [pages, kv_heads, head_dim, kv_page]: transposed for the score kernel
  at::Tensor value_PHBD;  ///< [pages, kv_heads, kv_page, head_dim]
};
KvPages make_kv_pages(std::int64_t pages, const AttentionShape& shape);
/// Copies one page onto another (copy-on-write of a shared prompt's last page).
void copy_kv_page(KvPages& pages, std::int64_t from, std::int64_t to);

struct AttentionResult {
  at::Tensor out_TE;  ///< [T, heads·head_dim]
  at::Tensor lse_TH;  ///< log-sum-exp of the scaled, capped and biased scores: saved for backward
};

/// softmax(score(q·kᵀ)) · v on rotated qkv.
AttentionResult attention_forward(const at::Tensor& qkv_TC, const AttentionShape& shape, const AttentionPlan& plan);

/// dqkv_TC. The gradient of plan.bias_HR is added to *dbias_HR where that is given and defined.
at::Tensor attention_backward(const at::Tensor& dout_TE, const at::Tensor& qkv_TC, const AttentionResult& forward,
                              const AttentionShape& shape, const AttentionPlan& plan, at::Tensor* dbias_HR = nullptr);

/// Writes the new keys and values into the cache, then attends to everything cached. Returns out_TE.
at::Tensor attention_cached(const at::Tensor& qkv_TC, const AttentionShape& shape, const AttentionPlan& plan,
                            KvPages& pages);

/// Cross attention: every query row of sequence s (plan.start_S1) sees all keys of s (plan.key_start_S1). Row u of
/// kv_UC holds `kv_heads` key heads, then as many value heads. The plan's kind does not matter; it has no window and no
/// bias.
AttentionResult attention_cross_forward(const at::Tensor& q_TE, const at::Tensor& kv_UC, const AttentionShape& shape,
                                        const AttentionPlan& plan);

struct CrossGradient {
  at::Tensor dq_TE;
  at::Tensor dkv_UC;
};
CrossGradient attention_cross_backward(const at::Tensor& dout_TE, const at::Tensor& q_TE, const at::Tensor& kv_UC,
                                       const AttentionResult& forward, const AttentionShape& shape,
                                       const AttentionPlan& plan);

/// Writes the keys and values of the sequences of plan.key_start_S1 into the pages that plan.page_SN gives them.
void attention_store_keys(const at::Tensor& kv_UC, const AttentionShape& shape, const AttentionPlan& plan,
                          KvPages& pages);

/// Cross attention to the plan.key_length_S keys that attention_store_keys left in plan.page_SN: out_TE with the bits
/// of attention_cross_forward.
at::Tensor attention_cross_cached(const at::Tensor& q_TE, const AttentionShape& shape, const AttentionPlan& plan,
                                  KvPages& pages);

}  // namespace hone::kernels
