#pragma once

#include <stdint.h>

#include "kernels/isa.h"

namespace hone::kernels {

/// What the rotary kernels read. Norm weights are null when queries and keys are not normed.
struct RotaryArguments {
  int64_t heads;  ///< query heads
  int64_t kv_heads;
  int64_t head_dim;
  int64_t half;  ///< rotated pairs of each head: dimensions i and i + half; the others pass through
  const int32_t* position;
  const float* table;  ///< [positions, 2, half]: cosines, then sines
  const float* query_weight;
  const float* key_weight;
  float weight_offset;  ///< added to every norm weight
  float eps;
};

}  // namespace hone::kernels

/// Positions [begin, end) of table [positions, 2, half]: cosines and sines of position · frequency, times `factor`.
HONE_DECLARE_KERNEL(void, rotary_table_rows,
                    (const float* frequency, int64_t half, float factor, int64_t begin, int64_t end, float* table))

/// Rows [begin, end) of qkv into out; rstd [T, heads + kv_heads] is written with norms.
HONE_DECLARE_KERNEL(void, rotary_rows,
                    (const RotaryArguments& arguments, const float* qkv, int64_t begin, int64_t end, float* out,
                     float* rstd))

/// Rows [begin, end) of dout into dqkv. With norms qkv and rstd are read, and the weight gradients of these rows are
/// added to dweight[2 · head_dim] (query, then key) unless it is null.
HONE_DECLARE_KERNEL(void, rotary_backward_rows,
                    (const RotaryArguments& arguments, const float* dout, const float* qkv, const float* rstd,
                     int64_t begin, int64_t end, float* dqkv, float* dweight))
