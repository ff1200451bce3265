#pragma once

#include <stdint.h>

#include "kernels/isa.h"

namespace hone::kernels {

/// New rows of one sequence and the pages that hold all its keys and values.
struct AttentionSequence {
  int64_t first_row;  ///< of qkv
  int64_t rows;
  int64_t past;          ///< tokens in the pages before the first row
  const int32_t* pages;  ///< page of each 32-token block
};

struct AttentionArguments {
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  int64_t window;  ///< 0: none
  bool causal;
  float scale;  ///< of the scores
  const float* qkv;
  float* keys;    ///< pages [kv_heads, head_dim, 32]
  float* values;  ///< pages [kv_heads, 32, head_dim]
  float* out;     ///< [T, heads · head_dim]
  float* lse;     ///< [T, heads] or null
};

struct AttentionGradient {
  AttentionArguments forward;  ///< out and lse are read; keys and values are not
  const float* dout;
  float* dqkv;
};

}  // namespace hone::kernels

/// Writes keys and values of one key-value head for rows [begin, end) of the sequence into its pages.
HONE_DECLARE_KERNEL(void, attention_store,
                    (const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head,
                     int64_t begin, int64_t end))

/// Output of all query heads of one key-value head, for rows [begin, end) of the sequence, end - begin ≤ 32.
HONE_DECLARE_KERNEL(void, attention_attend,
                    (const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head,
                     int64_t begin, int64_t end))

/// Gradients of all query heads of one key-value head and of its keys and values, for a whole sequence without past.
/// `scratch` holds 64 · head_dim floats.
HONE_DECLARE_KERNEL(void, attention_backward_sequence,
                    (const AttentionGradient& gradient, const AttentionSequence& sequence, int64_t kv_head,
                     float* scratch))
