#pragma once

/// The product of packed words (see gemm_cpu.h), for one arithmetic. Included by the gemm sources only; in an unnamed
/// namespace, so that nothing compiled for a wide instruction set is shared with other files.

#include "kernels/linear/gemm_cpu.h"
#include "kernels/linear/gemm_words.h"

namespace hone::kernels {
namespace {

/// k words that stay in the first-level cache while all rows pass over them.
constexpr int64_t block_words = 256;
/// Distance of two rows of A in scratch: not a power of two, so that rows do not compete for the same cache sets.
constexpr int64_t row_pitch = block_words + 16;
/// Where word k of row r lies: rows one behind the other, or interleaved.
struct RowsOfWords {
  static constexpr int64_t row_step = row_pitch;
  static constexpr int64_t word_step = 1;
};
template <int most_rows>
struct InterleavedRows {
  static constexpr int64_t row_step = 1;
  static constexpr int64_t word_step = most_rows <= 4 ? 4 : most_rows <= 8 ? 8 : 16;  // rows of one row block
};

/// One tile: `rows` × 32 columns of C, `words` steps along k.
struct Tile {
  const uint32_t* a;
  const uint32_t* b;
  int64_t words;
  float* c;
  int64_t c_stride;
  bool from_c;        // the chain continues from C
  const float* bias;  // null unless these are the last words and there is a bias
};

template <class Arithmetic, class Layout, int rows>
void multiply_tile(const Tile& tile) {
  constexpr int64_t step = 2 * vector_lanes;
  for (int64_t column = 0; column < 32; column += step) {
    Floats sum[rows][2];
    float* c = tile.c + column;
    if (tile.from_c) {
      for (int r = 0; r < rows; ++r) {
        sum[r][0] = load_floats(c + r * tile.c_stride);
        sum[r][1] = load_floats(c + r * tile.c_stride + vector_lanes);
      }
    } else {
      for (int r = 0; r < rows; ++r) sum[r][0] = sum[r][1] = Floats{};
    }
    const uint32_t* a = tile.a;
    const uint32_t* b = tile.b + column;
    for (int64_t k = 0; k < tile.words; ++k) {
      const typename Arithmetic::Operand b0 = Arithmetic::operand(b);
      const typename Arithmetic::Operand b1 = Arithmetic::operand(b + vector_lanes);
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const typename Arithmetic::Scalar scalar = Arithmetic::scalar(a + r * Layout::row_step);
        sum[r][0] = Arithmetic::multiply_add(scalar, b0, sum[r][0]);
        sum[r][1] = Arithmetic::multiply_add(scalar, b1, sum[r][1]);
      }
      a += Layout::word_step;
      b += 32;
    }
    if (tile.bias != nullptr) {
      for (int r = 0; r < rows; ++r) {
        sum[r][0] += load_floats(tile.bias + column);
        sum[r][1] += load_floats(tile.bias + column + vector_lanes);
      }
    }
    for (int r = 0; r < rows; ++r) {
      store_floats(c + r * tile.c_stride, sum[r][0]);
      store_floats(c + r * tile.c_stride + vector_lanes, sum[r][1]);
    }
  }
}

template <class Arithmetic, class Layout, int rows>
void multiply_rows(int count, const Tile& tile) {
  if constexpr (rows > 0) {
    if (count == rows) {
      multiply_tile<Arithmetic, Layout, rows>(tile);
    } else {
      multiply_rows<Arithmetic, Layout, rows - 1>(count, tile);
    }
  }
}

/// Rows [0, rows) of a chunk cut into blocks of nearly equal size.
struct RowBlocks {
  int64_t count;
  int64_t size;   // of the smaller blocks
  int64_t extra;  // so many blocks, the first ones, have one row more
  int64_t begin(int64_t block) const { return block * size + (block < extra ? block : extra); }
};

template <class Arithmetic>
RowBlocks cut_rows(int64_t rows) {
  const int64_t count = (rows + Arithmetic::max_rows - 1) / Arithmetic::max_rows;
  return {count, rows / count, rows % count};
}

/// The part of a product that one call computes, and its scratch memory.
template <class Arithmetic, class Layout>
struct Product {
  using Words = typename Arithmetic::Words;
  const Gemm& gemm;
  const GemmPart& part;
  const RowBlocks blocks;
  const int64_t words;        // along all of k
  uint32_t* const a_words;    // [k block][row or row block …]
  uint32_t* const b_words;    // one packed block of B
  float* const edge;          // a tile with fewer than 32 columns of C

  int64_t rows() const { return part.row_end - part.row_begin; }

  /// Words of A from the start of a k block to the start of the next.
  int64_t a_block() const {
    return Layout::word_step == 1 ? rows() * row_pitch : blocks.count * block_words * Layout::word_step;
  }
  const uint32_t* a_at(int64_t k_block, int64_t row_block) const {
    const uint32_t* base = a_words + k_block * a_block();
    return Layout::word_step == 1 ? base + blocks.begin(row_block) * row_pitch
                                  : base + row_block * block_words * Layout::word_step;
  }

  void pack_a(int64_t word_begin, int64_t word_end) const;
  const uint32_t* b_at(int64_t panel, int64_t word_begin, int64_t word_end) const;
  void multiply_panel(int64_t panel, int64_t word_begin, int64_t word_end) const;
  void multiply_block(const Tile& whole, int64_t k_block, int64_t columns) const;
};

template <class Arithmetic, class Layout>
void Product<Arithmetic, Layout>::pack_a(int64_t word_begin, int64_t word_end) const {
  int64_t k_block = 0;
  for (int64_t begin = word_begin; begin < word_end; begin += block_words, ++k_block) {
    const int64_t end = begin + block_words < word_end ? begin + block_words : word_end;
    const int64_t k = begin * Words::elements;
    uint32_t* out = a_words + k_block * a_block();
    if constexpr (Layout::word_step == 1) {
      for (int64_t r = 0; r < rows(); ++r, out += row_pitch) {
        const float* row = gemm.a + (part.row_begin + r) * gemm.a_stride + k;
        Words::along_row(row, gemm.depth - k, end - begin, out);
      }
    } else {
      for (int64_t block = 0; block < blocks.count; ++block, out += block_words * Layout::word_step) {
        const int64_t first = blocks.begin(block);
        const float* from = gemm.a + part.row_begin + first;
        for (int64_t w = begin; w < end; ++w) {
          const int64_t t = w * Words::elements;
          across_rows<Words>(from + t * gemm.a_stride, gemm.a_stride, gemm.depth - t,
                             blocks.begin(block + 1) - first, gemm.rows - part.row_begin - first,
                             out + (w - begin) * Layout::word_step);
        }
      }
    }
  }
}

template <class Arithmetic, class Layout>
const uint32_t* Product<Arithmetic, Layout>::b_at(int64_t panel, int64_t word_begin, int64_t word_end) const {
  if (gemm.panels != nullptr) return gemm.panels + (panel * words + word_begin) * 32;
  const int64_t left = gemm.columns - panel * 32;
  pack_rows<Words>(gemm.b + panel * 32, gemm.b_stride, left < 32 ? left : 32, gemm.depth, word_begin, word_end,
                   b_words);
  return b_words;
}

/// All row blocks of one block of B; `whole` describes the chunk's first row.
template <class Arithmetic, class Layout>
void Product<Arithmetic, Layout>::multiply_block(const Tile& whole, int64_t k_block, int64_t columns) const {
  for (int64_t block = 0; block < blocks.count; ++block) {
    const int64_t first = blocks.begin(block);
    const int count = static_cast<int>(blocks.begin(block + 1) - first);
    Tile tile = whole;
    tile.a = a_at(k_block, block);
    tile.c = whole.c + first * whole.c_stride;
    if (columns == 32) {
      multiply_rows<Arithmetic, Layout, Arithmetic::max_rows>(count, tile);
      continue;
    }
    float* c = tile.c;
    const size_t bytes = static_cast<size_t>(columns) * 4;
    for (int r = 0; tile.from_c && r < count; ++r) memcpy(edge + r * 32, c + r * whole.c_stride, bytes);
    tile.c = edge;
    tile.c_stride = 32;
    multiply_rows<Arithmetic, Layout, Arithmetic::max_rows>(count, tile);
    for (int r = 0; r < count; ++r) memcpy(c + r * whole.c_stride, edge + r * 32, bytes);
  }
}

template <class Arithmetic, class Layout>
void Product<Arithmetic, Layout>::multiply_panel(int64_t panel, int64_t word_begin, int64_t word_end) const {
  const int64_t left = gemm.columns - panel * 32;
  const int64_t columns = left < 32 ? left : 32;
  float bias[32] = {};
  if (gemm.bias != nullptr) memcpy(bias, gemm.bias + panel * 32, static_cast<size_t>(columns) * 4);
  int64_t k_block = 0;
  for (int64_t begin = word_begin; begin < word_end; begin += block_words, ++k_block) {
    const int64_t end = begin + block_words < word_end ? begin + block_words : word_end;
    Tile tile;
    tile.a = nullptr;
    tile.b = b_at(panel, begin, end);
    tile.words = end - begin;
    tile.c = gemm.c + part.row_begin * gemm.c_stride + panel * 32;
    tile.c_stride = gemm.c_stride;
    tile.from_c = begin > 0 || gemm.accumulate;
    tile.bias = end == words && gemm.bias != nullptr ? bias : nullptr;
    multiply_block(tile, k_block, columns);
  }
}

template <class Arithmetic, class Layout>
void multiply(const Gemm& gemm, const GemmPart& part, void* scratch) {
  // A's words of one pass fit in the second-level cache: 128 rows × 4 blocks, 256 × 2, …
  const int64_t rows = part.row_end - part.row_begin;
  const int64_t pass_words = rows <= 64 ? 8 * block_words : rows <= 128 ? 4 * block_words : 2 * block_words;
  const int64_t words = (gemm.depth + Arithmetic::Words::elements - 1) / Arithmetic::Words::elements;
  uint32_t* b_words = static_cast<uint32_t*>(scratch);
  float* edge = reinterpret_cast<float*>(b_words + block_words * 32);
  uint32_t* a_words = b_words + block_words * 32 + Arithmetic::max_rows * 32;
  const Product<Arithmetic, Layout> product{gemm,  part,    cut_rows<Arithmetic>(rows), words,
                                            a_words, b_words, edge};
  for (int64_t begin = 0; begin < words; begin += pass_words) {
    const int64_t end = begin + pass_words < words ? begin + pass_words : words;
    product.pack_a(begin, end);
    for (int64_t panel = part.panel_begin; panel < part.panel_end; ++panel) {
      product.multiply_panel(panel, begin, end);
    }
  }
}

template <class Arithmetic>
void multiply(const Gemm& gemm, const GemmPart& part, void* scratch) {
  if (gemm.a_transposed) {
    multiply<Arithmetic, InterleavedRows<Arithmetic::max_rows>>(gemm, part, scratch);
  } else {
    multiply<Arithmetic, RowsOfWords>(gemm, part, scratch);
  }
}

}  // namespace
}  // namespace hone::kernels
