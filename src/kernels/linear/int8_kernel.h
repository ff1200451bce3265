#pragma once

/// The product of quantised words (see int8_cpu.h), for one arithmetic. Included by the int8 sources only; in an unnamed
/// namespace, so that nothing compiled for a wide instruction set is shared with other files.

#include "kernels/linear/int8_words.h"

namespace hone::kernels {
namespace {

/// `rows` × 32 columns of C.
struct Int8Tile {
  const uint32_t* a;  // first row
  int64_t a_pitch;
  const float* row_scale;
  const int32_t* row_offset;
  const uint32_t* b;  // one panel
  int64_t words;      // along k
  const float* column_scale;
  const float* bias;  // null: none
  float* c;
  int64_t c_stride;
};

/// What the integers stand for.
Floats dequantize(Ints sum, int64_t row, int64_t column, const Int8Tile& tile) {
  const Floats exact = __builtin_convertvector(sum - tile.row_offset[row], Floats);
  const Floats value = rounded_product(exact * tile.row_scale[row], load_floats(tile.column_scale + column));
  return tile.bias == nullptr ? value : value + load_floats(tile.bias + column);
}

/// `ways` sums of every element run side by side where the rows alone do not hide the latency of an addition.
template <class Arithmetic, int rows, int ways>
void multiply_tile(const Int8Tile& tile) {
  constexpr int64_t step = 2 * vector_lanes;
  constexpr int64_t ahead = 64;  // words of B fetched before they are needed
  for (int64_t column = 0; column < 32; column += step) {
    Ints sum[ways][rows][2] = {};
    const uint32_t* a = tile.a;
    const uint32_t* b = tile.b + column;
    const auto add = [&](Ints (&into)[rows][2], int64_t k) {
      const typename Arithmetic::Operand b0 = Arithmetic::operand(b + k * 32);
      const typename Arithmetic::Operand b1 = Arithmetic::operand(b + k * 32 + vector_lanes);
      __builtin_prefetch(b + (k + ahead) * 32);
      __builtin_prefetch(b + (k + ahead) * 32 + 16);
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const typename Arithmetic::Scalar scalar = Arithmetic::scalar(a + r * tile.a_pitch + k, tile.words);
        into[r][0] = Arithmetic::multiply_add(scalar, b0, into[r][0]);
        into[r][1] = Arithmetic::multiply_add(scalar, b1, into[r][1]);
      }
    };
    int64_t k = 0;
    for (; k + ways <= tile.words; k += ways) {
#pragma GCC unroll 4
      for (int way = 0; way < ways; ++way) add(sum[way], k + way);
    }
    for (; k < tile.words; ++k) add(sum[0], k);
    for (int r = 0; r < rows; ++r) {
      for (int half = 0; half < 2; ++half) {
        Ints total = sum[0][r][half];
        for (int way = 1; way < ways; ++way) total += sum[way][r][half];
        const int64_t at = column + half * vector_lanes;
        store_floats(tile.c + r * tile.c_stride + at, dequantize(total, r, at, tile));
      }
    }
  }
}

template <class Arithmetic, int rows>
void multiply_rows(int64_t count, const Int8Tile& tile) {
  if constexpr (rows > 0) {
    if (count == rows) {
      constexpr int ways = Arithmetic::max_rows / rows >= 4 ? 4 : Arithmetic::max_rows / rows >= 2 ? 2 : 1;
      multiply_tile<Arithmetic, rows, ways>(tile);
    } else {
      multiply_rows<Arithmetic, rows - 1>(count, tile);
    }
  }
}

/// Rows [row, row + count) of one panel; a panel with fewer than 32 columns goes through `edge`.
template <class Arithmetic>
void multiply_block(const Int8Gemm& gemm, int64_t row, int64_t count, int64_t panel, const float* bias, float* edge) {
  const int64_t left = gemm.columns - panel * 32;
  const int64_t words = (gemm.depth + 3) / 4;
  float* c = gemm.c + row * gemm.c_stride + panel * 32;
  Int8Tile tile;
  tile.a = gemm.a.words + row * gemm.a.pitch;
  tile.a_pitch = gemm.a.pitch;
  tile.row_scale = gemm.a.scale + row;
  tile.row_offset = gemm.a.offset + row;
  tile.b = gemm.panels + panel * words * 32;
  tile.words = words;
  tile.column_scale = gemm.column_scale + panel * 32;
  tile.bias = bias;
  tile.c = left < 32 ? edge : c;
  tile.c_stride = left < 32 ? 32 : gemm.c_stride;
  multiply_rows<Arithmetic, Arithmetic::max_rows>(count, tile);
  if (left >= 32) return;
  for (int64_t r = 0; r < count; ++r) memcpy(c + r * gemm.c_stride, edge + r * 32, static_cast<size_t>(left) * 4);
}

template <class Arithmetic>
void multiply(const Int8Gemm& gemm, const GemmPart& part) {
  const int64_t rows = part.row_end - part.row_begin;
  const int64_t blocks = (rows + Arithmetic::max_rows - 1) / Arithmetic::max_rows;
  float edge[Arithmetic::max_rows * 32];
  for (int64_t panel = part.panel_begin; panel < part.panel_end; ++panel) {
    const int64_t left = gemm.columns - panel * 32;
    float last_bias[32] = {};
    const float* bias = gemm.bias == nullptr ? nullptr : gemm.bias + panel * 32;
    if (bias != nullptr && left < 32) {
      memcpy(last_bias, bias, static_cast<size_t>(left) * 4);
      bias = last_bias;
    }
    for (int64_t block = 0; block < blocks; ++block) {  // of nearly equal size
      const int64_t begin = part.row_begin + block * rows / blocks;
      const int64_t end = part.row_begin + (block + 1) * rows / blocks;
      multiply_block<Arithmetic>(gemm, begin, end - begin, panel, bias, edge);
    }
  }
}

}  // namespace
}  // namespace hone::kernels
