#pragma once

/// The way of one query through blocks of keys, shared by the attention kernels. Included by `*_cpu.cpp` only.

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels/attention/attention_block.h"
#include "kernels/attention/attention_cpu.h"

/// Online softmax of one query (Milakov and Gimelshein 2018): out = Σ exp(score - peak) · value, total = Σ exp(…).
struct RowState {
  VisibleKeys visible;
  int64_t position;
  int64_t head;
  float* out;
  float peak;
  float total;
};

static inline void start_row(RowState& state, int64_t head_dim) {
  state.peak = -INFINITY;
  state.total = 0.0F;
  memset(state.out, 0, static_cast<size_t>(head_dim) * sizeof(float));
}

static inline float* key_block(const hone::kernels::AttentionArguments& arguments,
                               const hone::kernels::AttentionSequence& sequence, int64_t kv_head, int64_t block) {
  return arguments.keys + (sequence.pages[block] * arguments.kv_heads + kv_head) * arguments.head_dim * block_keys;
}

static inline float* value_block(const hone::kernels::AttentionArguments& arguments,
                                 const hone::kernels::AttentionSequence& sequence, int64_t kv_head, int64_t block) {
  return arguments.values + (sequence.pages[block] * arguments.kv_heads + kv_head) * arguments.head_dim * block_keys;
}

static inline void scale_row(float* row, int64_t width, float factor) {
  for (int64_t i = 0; i < width; ++i) row[i] *= factor;
}

/// The second operand when one of them is NaN.
static inline Floats larger(Floats a, Floats b) { return a > b ? a : b; }

static inline float largest_lane(Floats value) {
#if HONE_VECTOR_BYTES == 64
  value = larger(value, rotate_lanes(value, 8));
#endif
#if HONE_VECTOR_BYTES >= 32
  value = larger(value, rotate_lanes(value, 4));
#endif
  value = larger(value, rotate_lanes(value, 2));
  value = larger(value, rotate_lanes(value, 1));
  return value[0];
}

static constexpr int64_t most_blocks = 4;  ///< that are weighed together

/// Scores of one query with consecutive blocks become weights exp(scale · score - peak), 0 for keys that are not seen,
/// and the state moves on to the last block. Scores of block b are at score + b · block_step. correction[b] is what the
/// sums of all blocks before b must be multiplied by. A NaN among the scores makes the total NaN, whatever becomes of
/// the peak.
static inline void weigh_blocks(float* score, int64_t block_step, int64_t blocks, const VisibleKeys* seen, float scale,
                                RowState& state, float* correction) {
  const Floats nothing = broadcast(-INFINITY);
  float peak[most_blocks];
  Floats fall = {};  // of the peak, negative: at each block
  for (int64_t b = 0; b < blocks; ++b) {
    float* const at = score + b * block_step;
    Floats best = nothing;
    for (int64_t v = 0; v < block_vectors; ++v) {
      const Floats value = load_floats(at + v * vector_lanes) * scale;
      const Floats scaled = lane_mask(v, seen[b]) ? value : nothing;
      store_floats(at + v * vector_lanes, scaled);
      best = larger(best, scaled);
    }
    const float block_peak = largest_lane(best);
    const float last = b == 0 ? state.peak : peak[b - 1];
    peak[b] = last > block_peak ? last : block_peak;
    fall[b] = last - peak[b];
  }
  const Floats corrections = exp_floats(fall);
  float before = state.peak;
  for (int64_t b = 0; b < blocks; ++b) {
    float* const at = score + b * block_step;
    Floats sum = {};
    for (int64_t v = 0; v < block_vectors; ++v) {
      const Floats weight = exp_floats(load_floats(at + v * vector_lanes) - peak[b]);
      store_floats(at + v * vector_lanes, weight);
      sum += weight;
    }
    const bool same = peak[b] == before;
    correction[b] = same ? 1.0F : corrections[b];
    // Rounded on its own: a multiply-add here would give other bits.
    const float total = __builtin_assoc_barrier(state.total * corrections[b]);
    state.total = (same ? state.total : total) + sum_lanes(sum);
    before = peak[b];
  }
  state.peak = before;
}

/// Divides by the totals and stores the log-sum-exps, which are `lse_stride` apart.
static inline void finish_rows(RowState* state, int64_t rows, int64_t head_dim, float* lse, int64_t lse_stride) {
  for (int64_t r = 0; r < rows; ++r) {
    scale_row(state[r].out, head_dim, 1.0F / state[r].total);
    if (lse != nullptr) lse[r * lse_stride] = state[r].peak + logf(state[r].total);
  }
}
