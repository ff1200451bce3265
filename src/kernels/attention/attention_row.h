#pragma once

/// The way of one query through blocks of keys, shared by the attention kernels. Included by `*_cpu.cpp` only.

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels/attention/attention_block.h"
#include "kernels/attention/attention_cpu.h"

/// One query; `out` sums over the keys so far.
struct RowState {
  VisibleKeys visible;
  int64_t position;
  int64_t head;
  float* out;
};

/// Online softmax of many queries (Milakov and Gimelshein 2018): out = Σ exp(score - peak) · value, total = Σ exp(…).
struct RowTotals {
  float peak[hone::kernels::attention_group_rows];
  float total[hone::kernels::attention_group_rows];
};

static inline void start_rows(const RowState* state, int64_t rows, int64_t head_dim, RowTotals& totals) {
  for (int64_t r = 0; r < rows; ++r) {
    totals.peak[r] = -INFINITY;
    totals.total[r] = 0.0F;
    memset(state[r].out, 0, static_cast<size_t>(head_dim) * sizeof(float));
  }
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

/// Scores of one query with a block are scaled, and fall to -∞ where a key is not seen (`seen`, null: all are). Gives
/// the largest of each lane.
static inline Floats scale_scores(float* score, float scale, const VisibleKeys* seen) {
  const Floats nothing = broadcast(-INFINITY);
  Floats best = nothing;
  for (int64_t v = 0; v < block_vectors; ++v) {
    Floats value = load_floats(score + v * vector_lanes) * scale;
    if (seen != nullptr) value = lane_mask(v, *seen) ? value : nothing;
    store_floats(score + v * vector_lanes, value);
    best = larger(best, value);
  }
  return best;
}

/// Scaled scores become weights exp(score - peak). Gives the sum of each lane.
static inline Floats weigh_scores(float* score, float peak) {
  Floats sum = {};
  for (int64_t v = 0; v < block_vectors; ++v) {
    const Floats weight = exp_of_falls(load_floats(score + v * vector_lanes) - peak);
    store_floats(score + v * vector_lanes, weight);
    sum += weight;
  }
  return sum;
}

static constexpr int64_t most_blocks = 4;  ///< that are weighed together

/// Scores of one query with consecutive blocks become weights exp(scale · score - peak), 0 for keys that are not seen,
/// and peak and total move on to the last block. Scores of block b are at score + b · block_step. correction[b] is what
/// the sums of all blocks before b must be multiplied by. A NaN among the scores makes the total NaN, whatever becomes
/// of the peak.
static inline void weigh_blocks(float* score, int64_t block_step, int64_t blocks, const VisibleKeys* seen, float scale,
                                float& row_peak, float& row_total, float* correction) {
  float peak[most_blocks];
  Floats fall = {};  // of the peak, negative: at each block
  for (int64_t b = 0; b < blocks; ++b) {
    const float block_peak = largest_lane(scale_scores(score + b * block_step, scale, seen + b));
    const float last = b == 0 ? row_peak : peak[b - 1];
    peak[b] = last > block_peak ? last : block_peak;
    fall[b] = last - peak[b];
  }
  const Floats corrections = exp_of_falls(fall);
  float before = row_peak;
  for (int64_t b = 0; b < blocks; ++b) {
    const Floats sum = weigh_scores(score + b * block_step, peak[b]);
    const bool same = peak[b] == before;
    correction[b] = same ? 1.0F : corrections[b];
    // Rounded on its own: a multiply-add here would give other bits.
    const float total = __builtin_assoc_barrier(row_total * corrections[b]);
    row_total = (same ? row_total : total) + sum_lanes(sum);
    before = peak[b];
  }
  row_peak = before;
}

/// weigh_blocks of `rows` ≤ vector_lanes queries with one block, a query a lane.
static inline void weigh_lanes(float* score, int64_t rows, const VisibleKeys* seen, float scale, float* row_peak,
                               float* row_total, float* correction) {
  const bool all = rows == vector_lanes;
  Floats lanes[vector_lanes];
  for (int64_t r = 0; r < vector_lanes; ++r) lanes[r] = broadcast(-INFINITY);
  for (int64_t r = 0; r < rows; ++r) {
    lanes[r] = scale_scores(score + r * block_keys, scale, seen == nullptr ? nullptr : seen + r);
  }
  const Floats best = combine_lanes<vector_lanes / 2>(lanes, larger);
  const Floats before = all ? load_floats(row_peak) : load_tail(row_peak, rows);
  const Floats total = all ? load_floats(row_total) : load_tail(row_total, rows);
  const Floats peak = larger(before, best);
  float peaks[vector_lanes];
  store_floats(peaks, peak);
  for (int64_t r = 0; r < rows; ++r) lanes[r] = weigh_scores(score + r * block_keys, peaks[r]);
  const Floats sum = combine_lanes<vector_lanes / 2>(lanes, [](Floats a, Floats b) { return a + b; });
  const Floats corrections = exp_of_falls(before - peak);
  const Ints same = peak == before;
  const Floats corrected = __builtin_assoc_barrier(total * corrections);
  const Floats totals = (same ? total : corrected) + sum;
  const Floats factors = same ? broadcast(1.0F) : corrections;
  if (all) {
    store_floats(row_peak, peak);
    store_floats(row_total, totals);
    store_floats(correction, factors);
  } else {
    store_tail(row_peak, peak, rows);
    store_tail(row_total, totals, rows);
    store_tail(correction, factors, rows);
  }
}

/// weigh_blocks of many queries with one block; `seen` (null: every key) and the rest have one element a query.
static inline void weigh_rows(float* score, int64_t rows, const VisibleKeys* seen, float scale, float* peak,
                              float* total, float* correction) {
  for (int64_t r = 0; r < rows; r += vector_lanes) {
    weigh_lanes(score + r * block_keys, rows - r < vector_lanes ? rows - r : vector_lanes,
                seen == nullptr ? nullptr : seen + r, scale, peak + r, total + r, correction + r);
  }
}

/// Divides by the totals and stores the log-sum-exps, which are `lse_stride` apart.
static inline void finish_rows(const RowState* state, const float* peak, const float* total, int64_t rows,
                               int64_t head_dim, float* lse, int64_t lse_stride) {
  for (int64_t r = 0; r < rows; ++r) {
    scale_row(state[r].out, head_dim, 1.0F / total[r]);
    if (lse != nullptr) lse[r * lse_stride] = peak[r] + logf(total[r]);
  }
}
