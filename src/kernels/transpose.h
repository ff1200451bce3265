#pragma once

/// Squares of 32-bit values turned round. Everything here is static, as in vector.h; included by the same files only.

#include "kernels/vector.h"

#if HONE_VECTOR_BYTES == 64
#define HONE_LOW_HALVES \
  { 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23 }
#define HONE_HIGH_HALVES \
  { 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31 }
#elif HONE_VECTOR_BYTES == 32
#define HONE_LOW_HALVES \
  { 0, 8, 1, 9, 2, 10, 3, 11 }
#define HONE_HIGH_HALVES \
  { 4, 12, 5, 13, 6, 14, 7, 15 }
#else
#define HONE_LOW_HALVES \
  { 0, 4, 1, 5 }
#define HONE_HIGH_HALVES \
  { 2, 6, 3, 7 }
#endif

/// Transposes a square of vector_lanes rows: log2(lanes) rounds of perfect shuffles of the two halves.
static inline void transpose_square(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  const Ints low = HONE_LOW_HALVES;
  const Ints high = HONE_HIGH_HALVES;
  Floats row[vector_lanes];
  for (int64_t i = 0; i < vector_lanes; ++i) row[i] = load_floats(from + i * from_stride);
  for (int64_t round = 1; round < vector_lanes; round *= 2) {
    Floats next[vector_lanes];
    for (int64_t i = 0; i < vector_lanes / 2; ++i) {
      next[2 * i] = __builtin_shuffle(row[i], row[i + vector_lanes / 2], low);
      next[2 * i + 1] = __builtin_shuffle(row[i], row[i + vector_lanes / 2], high);
    }
    for (int64_t i = 0; i < vector_lanes; ++i) row[i] = next[i];
  }
  for (int64_t i = 0; i < vector_lanes; ++i) store_floats(to + i * to_stride, row[i]);
}

#undef HONE_LOW_HALVES
#undef HONE_HIGH_HALVES
