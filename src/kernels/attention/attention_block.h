#pragma once

/// Products of a few rows with one block of 32 keys, shared by the attention kernels. Every element is one chain of
/// multiply-adds, so it has the same bits whatever rows are computed beside it. Included by `*_cpu.cpp` only.

#include <stdint.h>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernels/transpose.h"
#include "kernels/vector.h"

static constexpr int64_t block_keys = 32;
static constexpr int64_t block_vectors = block_keys / vector_lanes;  // registers that hold one row of scores

// Rows computed together: as many as the registers hold, to read each key and value once for all of them.
static constexpr int score_tile = vector_lanes == 16 ? 8 : vector_lanes == 8 ? 2 : 1;
static constexpr int value_tile = vector_lanes == 16 ? 4 : 2;
static constexpr int wide_tile = vector_lanes == 16 ? 8 : 4;

// The two inner loops are kept out of line: there the compiler has enough registers for the addresses of all rows.
#define HONE_INNER_LOOP static __attribute__((noinline)) void

template <int Rows>
HONE_INNER_LOOP score_rows(const float* q, int64_t stride, const float* keys, int64_t head_dim, float* score) {
  Floats sum[Rows][block_vectors] = {};
  for (int64_t d = 0; d < head_dim; ++d) {
    Floats key[block_vectors];
    for (int64_t v = 0; v < block_vectors; ++v) key[v] = load_floats(keys + d * block_keys + v * vector_lanes);
    for (int r = 0; r < Rows; ++r) {
      const Floats query = broadcast(q[r * stride + d]);
      for (int64_t v = 0; v < block_vectors; ++v) sum[r][v] += query * key[v];
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int64_t v = 0; v < block_vectors; ++v) store_floats(score + r * block_keys + v * vector_lanes, sum[r][v]);
  }
}

/// The last `rows` ≤ Most rows, in one pass over the keys.
template <int Most>
static inline void score_last_rows(const float* q, int64_t stride, int64_t rows, const float* keys, int64_t head_dim,
                                   float* score) {
  if constexpr (Most > 0) {
    if (rows == Most) {
      score_rows<Most>(q, stride, keys, head_dim, score);
    } else {
      score_last_rows<Most - 1>(q, stride, rows, keys, head_dim, score);
    }
  }
}

/// score[r][j] = Σ_d q[r][d] · keys[d][j], a chain over ascending d. Rows of q are `stride` apart; keys is
/// [head_dim, 32], score [rows, 32].
static inline void block_scores(const float* q, int64_t stride, int64_t rows, const float* keys, int64_t head_dim,
                                float* score) {
  int64_t r = 0;
  for (; r + score_tile <= rows; r += score_tile) {
    score_rows<score_tile>(q + r * stride, stride, keys, head_dim, score + r * block_keys);
  }
  score_last_rows<score_tile - 1>(q + r * stride, stride, rows - r, keys, head_dim, score + r * block_keys);
}

/// A weight matrix seen through strides: weight(r, j) = data[r · row + j · step]. Sums that it adds to are multiplied
/// by correction[r] before.
struct BlockWeights {
  const float* data;
  int64_t row;
  int64_t step;
  const float* correction = nullptr;  ///< null: by one
};

static inline BlockWeights from_row(BlockWeights weight, int64_t row) {
  weight.data += row * weight.row;
  if (weight.correction != nullptr) weight.correction += row;
  return weight;
}

/// Rows of `from` as columns of to[head_dim][32].
static inline void transpose_rows(const float* from, int64_t stride, int64_t rows, int64_t head_dim, float* to) {
  int64_t j = 0;
  for (; j + vector_lanes <= rows; j += vector_lanes) {
    int64_t d = 0;
    for (; d + vector_lanes <= head_dim; d += vector_lanes) {
      transpose_square(from + j * stride + d, stride, to + d * block_keys + j, block_keys);
    }
    for (; d < head_dim; ++d) {
      for (int64_t i = j; i < j + vector_lanes; ++i) to[d * block_keys + i] = from[i * stride + d];
    }
  }
  for (; j < rows; ++j) {
    for (int64_t d = 0; d < head_dim; ++d) to[d * block_keys + j] = from[j * stride + d];
  }
}

/// The first `count` ≥ 1 floats, zeros in the other lanes; nothing behind them is touched.
static inline Floats load_tail(const float* from, int64_t count) {
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1U), from);
#elif defined(__AVX2__)
  return _mm256_maskload_ps(from, reinterpret_cast<__m256i>(lane_numbers() < static_cast<int32_t>(count)));
#else
  return load_some(from, count, 0.0F);
#endif
}

static inline void store_tail(float* to, Floats value, int64_t count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1U << count) - 1U), value);
#elif defined(__AVX2__)
  _mm256_maskstore_ps(to, reinterpret_cast<__m256i>(lane_numbers() < static_cast<int32_t>(count)), value);
#else
  store_some(to, value, count);
#endif
}

template <int Rows, int Vectors>
HONE_INNER_LOOP accumulate_tile(const BlockWeights& weight, int64_t begin, int64_t end, const float* x,
                                int64_t x_stride, float* out, int64_t out_stride, int64_t tail) {
  Floats sum[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      const float* from = out + r * out_stride + v * vector_lanes;
      sum[r][v] = tail == 0 ? load_floats(from) : load_tail(from, tail);
      if (weight.correction != nullptr) sum[r][v] *= weight.correction[r];
    }
  }
  for (int64_t j = begin; j < end; ++j) {
    Floats value[Vectors];
    for (int v = 0; v < Vectors; ++v) {
      const float* from = x + j * x_stride + v * vector_lanes;
      value[v] = tail == 0 ? load_floats(from) : load_tail(from, tail);
    }
    for (int r = 0; r < Rows; ++r) {
      const Floats w = broadcast(weight.data[r * weight.row + j * weight.step]);
      for (int v = 0; v < Vectors; ++v) sum[r][v] += w * value[v];
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      float* to = out + r * out_stride + v * vector_lanes;
      if (tail == 0) {
        store_floats(to, sum[r][v]);
      } else {
        store_tail(to, sum[r][v], tail);
      }
    }
  }
}

template <int Rows>
static inline void accumulate_rows(const BlockWeights& weight, int64_t begin, int64_t end, const float* x,
                                   int64_t x_stride, int64_t head_dim, float* out, int64_t out_stride) {
  if (begin >= end) return;
  int64_t d = 0;
  for (; d + 4 * vector_lanes <= head_dim; d += 4 * vector_lanes) {
    accumulate_tile<Rows, 4>(weight, begin, end, x + d, x_stride, out + d, out_stride, 0);
  }
  if (d + 2 * vector_lanes <= head_dim) {
    accumulate_tile<Rows, 2>(weight, begin, end, x + d, x_stride, out + d, out_stride, 0);
    d += 2 * vector_lanes;
  }
  if (d + vector_lanes <= head_dim) {
    accumulate_tile<Rows, 1>(weight, begin, end, x + d, x_stride, out + d, out_stride, 0);
    d += vector_lanes;
  }
  if (d < head_dim) accumulate_tile<Rows, 1>(weight, begin, end, x + d, x_stride, out + d, out_stride, head_dim - d);
}

/// `rows` ≤ Most rows, in one pass over x.
template <int Most>
static inline void accumulate_last_rows(const BlockWeights& weight, int64_t rows, int64_t begin, int64_t end,
                                        const float* x, int64_t x_stride, int64_t head_dim, float* out,
                                        int64_t out_stride) {
  if constexpr (Most > 0) {
    if (rows == Most) {
      accumulate_rows<Most>(weight, begin, end, x, x_stride, head_dim, out, out_stride);
    } else {
      accumulate_last_rows<Most - 1>(weight, rows, begin, end, x, x_stride, head_dim, out, out_stride);
    }
  }
}

/// out[r][:] = out[r][:] · correction[r] + Σ_j weight(r, j) · x[j][:] for j in [begin, end), a chain over ascending j.
static inline void block_accumulate(const BlockWeights& weight, int64_t rows, int64_t begin, int64_t end,
                                    const float* x, int64_t x_stride, int64_t head_dim, float* out,
                                    int64_t out_stride) {
  int64_t r = 0;
  if (head_dim == 2 * vector_lanes) {  // two vectors a row: registers for more rows
    for (; r + wide_tile <= rows; r += wide_tile) {
      accumulate_rows<wide_tile>(from_row(weight, r), begin, end, x, x_stride, head_dim, out + r * out_stride,
                                 out_stride);
    }
  }
  for (; r < rows; r += value_tile) {
    const int64_t count = rows - r < value_tile ? rows - r : value_tile;
    accumulate_last_rows<value_tile>(from_row(weight, r), count, begin, end, x, x_stride, head_dim,
                                     out + r * out_stride, out_stride);
  }
}

/// The keys that the query at `position` of a sequence with `length` tokens sees: [begin, end).
struct VisibleKeys {
  int64_t begin;
  int64_t end;
};

static inline VisibleKeys visible_keys(int64_t position, int64_t length, int64_t window, bool causal) {
  VisibleKeys keys = {0, causal ? position + 1 : length};
  if (window > 0) {
    if (position - window + 1 > keys.begin) keys.begin = position - window + 1;
    if (position + window < keys.end) keys.end = position + window;
  }
  return keys;
}

/// `keys` relative to the block that starts at token `start`, cut to [0, 32]; begin ≥ end when it sees none of them.
static inline VisibleKeys within_block(VisibleKeys keys, int64_t start) {
  const int64_t begin = keys.begin - start;
  const int64_t end = keys.end - start;
  return {begin > 0 ? begin : 0, end < block_keys ? end : block_keys};
}

/// -1 in the lanes of vector v whose key is in [begin, end), else 0.
static inline Ints lane_mask(int64_t v, VisibleKeys keys) {
  const Ints lane = lane_numbers() + static_cast<int32_t>(v * vector_lanes);
  return (lane >= static_cast<int32_t>(keys.begin)) & (lane < static_cast<int32_t>(keys.end));
}
