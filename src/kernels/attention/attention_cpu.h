#pragma once

#include <stdint.h>

#include "kernels/isa.h"

namespace hone::kernels {

/// Query rows of one sequence, its new keys, and the pages that hold all its keys and values.
struct AttentionSequence {
  int64_t first_row;  ///< of the queries
  int64_t rows;
  int64_t first_key;     ///< row of the first new key and value
  int64_t past;          ///< tokens in the pages before the new ones; position of the first query
  int64_t keys;          ///< tokens that queries may see, past and new
  const int32_t* pages;  ///< page of each 32-token block
};

/// Consecutive sequences with one query each whose first `shared` blocks of keys are the same pages, all seen by every
/// query. At most attention_group_rows query rows a key-value head.
struct AttentionGroup {
  const AttentionSequence* sequences;
  int64_t count;
  int64_t shared;
};
inline constexpr int64_t attention_group_rows = 64;

struct AttentionArguments {
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  int64_t window;  ///< 0: none
  bool causal;
  float scale;         ///< of the scores
  float soft_cap;      ///< 0: none
  const float* bias;   ///< [heads, 2 · bias_reach + 1] by key position - query position, or null
  int64_t bias_reach;  ///< distances beyond it share the last bias
  const float* query;  ///< [T, heads · head_dim], rows query_stride apart
  int64_t query_stride;
  const float* key;  ///< new keys [U, kv_heads · head_dim], rows key_stride apart; values likewise
  const float* value;
  int64_t key_stride;
  float* keys;    ///< pages [kv_heads, head_dim, 32]
  float* values;  ///< pages [kv_heads, 32, head_dim]
  float* out;     ///< [T, heads · head_dim]
  float* lse;     ///< [T, heads] or null
};

struct AttentionGradient {
  AttentionArguments forward;  ///< out and lse are read; keys and values are not
  const float* dout;
  float* dquery;  ///< laid out as query, key and value
  float* dkey;
  float* dvalue;
};

/// Part of the gradient of one sequence without past: all pairs of these queries and keys, for the query heads of one
/// key-value head. Ranges begin at multiples of 32. Sums that only part of the pairs would reach are left alone: dquery
/// is written when `key` covers all keys, dkey and dvalue when `query` covers all queries.
struct AttentionGradientUnit {
  const AttentionSequence* sequence;
  int64_t kv_head;
  int64_t query_begin;
  int64_t query_end;
  int64_t key_begin;
  int64_t key_end;
  bool writes_queries;
  bool writes_keys;
  float* dbias;  ///< [heads, 2 · bias_reach + 1], added to; or null
};

}  // namespace hone::kernels

/// Writes keys and values of one key-value head for new keys [begin, end) of the sequence into its pages.
HONE_DECLARE_KERNEL(void, attention_store,
                    (const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head,
                     int64_t begin, int64_t end))

/// Output of all query heads of one key-value head, for rows [begin, end) of the sequence, end - begin ≤ 32.
HONE_DECLARE_KERNEL(void, attention_attend,
                    (const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head,
                     int64_t begin, int64_t end))

/// Units [begin, end) of a decode step, unit u being key-value head u % kv_heads of group u / kv_heads: writes the new key
/// and value (unless arguments.key is null), then gives the output of all query heads, with the bits of attention_attend.
/// `scratch` holds 2 · attention_group_rows · head_dim floats.
HONE_DECLARE_KERNEL(void, attention_decode,
                    (const AttentionArguments& arguments, const AttentionGroup* groups, int64_t begin, int64_t end,
                     float* scratch))

/// `scratch` holds 64 · head_dim floats and one for each query of each head of the group. However the pairs of a sequence
/// are cut into units, sums run over them in one order, so the bits are the same.
HONE_DECLARE_KERNEL(void, attention_backward_unit,
                    (const AttentionGradient& gradient, const AttentionGradientUnit& unit, float* scratch))
