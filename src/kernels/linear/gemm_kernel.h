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
/// Where word k of row r lies: rows one behind the other, or interleaved. `a_block` words from a k block to the next.
struct RowsOfWords {
  static constexpr int64_t row_step = row_pitch;
  static constexpr int64_t word_step = 1;
  static constexpr bool interleaved = false;
  static constexpr int64_t a_block(int64_t rows, int64_t /*row_blocks*/) { return rows * row_pitch; }
};
template <int most_rows>
struct InterleavedRows {
  static constexpr int64_t row_step = 1;
  static constexpr int64_t word_step = most_rows <= 4 ? 4 : most_rows <= 8 ? 8 : 16;  // rows of one row block
  static constexpr int64_t block_pitch = (block_words + 1) * word_step;                // no power of two either
  static constexpr bool interleaved = true;
  static constexpr int64_t a_block(int64_t /*rows*/, int64_t row_blocks) { return row_blocks * block_pitch; }
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
  const uint32_t* ahead;  // fetched meanwhile, one cache line a word step of k, `ahead_step` words apart
  int64_t ahead_step;
  const float* next_c;  // rows of C that the next tile waits for otherwise; null: they are near
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
    const uint32_t* ahead = tile.ahead;
    const auto step_along_k = [&] {
      const typename Arithmetic::Operand b0 = Arithmetic::operand(b);
      const typename Arithmetic::Operand b1 = Arithmetic::operand(b + vector_lanes);
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const typename Arithmetic::Scalar scalar = Arithmetic::scalar(a + r * Layout::row_step);
        sum[r][0] = Arithmetic::multiply_add(scalar, b0, sum[r][0]);
        sum[r][1] = Arithmetic::multiply_add(scalar, b1, sum[r][1]);
      }
      __builtin_prefetch(ahead, 0, 2);
      ahead += tile.ahead_step;
      a += Layout::word_step;
      b += 32;
    };
    int64_t k = 0;
    if (tile.next_c != nullptr) {
      const float* next = tile.next_c + column;
      for (; k < rows && k < tile.words; ++k, next += tile.c_stride) {
        __builtin_prefetch(next, 1, 2);
        __builtin_prefetch(next + vector_lanes, 1, 2);
        step_along_k();
      }
    }
    for (; k < tile.words; ++k) step_along_k();
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

  int64_t a_block() const { return Layout::a_block(rows(), blocks.count); }
  const uint32_t* a_at(int64_t k_block, int64_t row_block) const {
    const uint32_t* base = a_words + k_block * a_block();
    if constexpr (Layout::interleaved) return base + row_block * Layout::block_pitch;
    return base + blocks.begin(row_block) * row_pitch;
  }

  void pack_a(int64_t word_begin, int64_t word_end) const;
  template <class From>
  void pack_a_of(const typename From::Element* a, int64_t word_begin, int64_t word_end) const;
  const uint32_t* b_at(int64_t panel, int64_t word_begin, int64_t word_end) const;
  void multiply_panel(int64_t panel, int64_t word_begin, int64_t word_end) const;
  void fetch_ahead(Tile& tile, int64_t row_block) const;
  void multiply_block(const Tile& whole, int64_t k_block, int64_t columns) const;
};

template <class Arithmetic, class Layout>
void Product<Arithmetic, Layout>::pack_a(int64_t word_begin, int64_t word_end) const {
  if constexpr (Words::elements == RoundedWords::elements) {
    if (gemm.a_bfloat16 != nullptr) return pack_a_of<RoundedWords>(gemm.a_bfloat16, word_begin, word_end);
  }
  pack_a_of<Words>(gemm.a, word_begin, word_end);
}

template <class Arithmetic, class Layout>
template <class From>
void Product<Arithmetic, Layout>::pack_a_of(const typename From::Element* a, int64_t word_begin,
                                            int64_t word_end) const {
  using Element = typename From::Element;
  int64_t k_block = 0;
  for (int64_t begin = word_begin; begin < word_end; begin += block_words, ++k_block) {
    const int64_t end = begin + block_words < word_end ? begin + block_words : word_end;
    const int64_t k = begin * From::elements;
    uint32_t* out = a_words + k_block * a_block();
    if constexpr (!Layout::interleaved) {
      for (int64_t r = 0; r < rows(); ++r, out += row_pitch) {
        const Element* row = a + (part.row_begin + r) * gemm.a_stride + k;
        From::along_row(row, gemm.depth - k, end - begin, out);
      }
    } else {
      for (int64_t w = begin; w < end; ++w, out += Layout::word_step) {
        const int64_t t = w * From::elements;
        const Element* from = a + t * gemm.a_stride + part.row_begin;
        const int64_t readable = gemm.rows - part.row_begin;
        const bool whole = gemm.depth - t >= From::elements;
        for (int64_t block = 0; block < blocks.count; ++block) {
          const int64_t first = blocks.begin(block);
          uint32_t* to = out + block * Layout::block_pitch;
          if (whole && first + vector_lanes <= readable) {
            store_ints(to, word_vector<From>(from + first, gemm.a_stride));
          } else {
            across_rows<From>(from + first, gemm.a_stride, gemm.depth - t, blocks.begin(block + 1) - first,
                               readable - first, to);
          }
        }
      }
    }
  }
}

template <class Arithmetic, class Layout>
const uint32_t* Product<Arithmetic, Layout>::b_at(int64_t panel, int64_t word_begin, int64_t word_end) const {
  if (gemm.panels != nullptr) return gemm.panels + (panel * words + word_begin) * 32;
  const int64_t left = gemm.columns - panel * 32;
  const int64_t columns = left < 32 ? left : 32;
  if constexpr (Words::elements == RoundedWords::elements) {
    if (gemm.b_bfloat16 != nullptr) {
      pack_rows<RoundedWords>(gemm.b_bfloat16 + panel * 32, gemm.b_stride, columns, gemm.depth, word_begin, word_end,
                              b_words);
      return b_words;
    }
  }
  pack_rows<Words>(gemm.b + panel * 32, gemm.b_stride, columns, gemm.depth, word_begin, word_end, b_words);
  return b_words;
}

/// The next block of B comes from memory while the first two row blocks pass over this one: with few rows the product
/// would otherwise wait for every block. The blocks of a packed B lie one behind the other. A single row block is bound by
/// memory, and streams without help.
template <class Arithmetic, class Layout>
void Product<Arithmetic, Layout>::fetch_ahead(Tile& tile, int64_t row_block) const {
  constexpr int64_t line = 16;
  tile.ahead = tile.b;
  tile.ahead_step = 0;
  if (gemm.panels == nullptr || blocks.count == 1 || row_block > 1) return;
  tile.ahead_step = line;
  tile.ahead = tile.b + tile.words * (32 + row_block * line);
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
    if (k_block > 0) {
      tile.next_c = nullptr;
    } else if (block + 1 < blocks.count) {
      tile.next_c = whole.c + blocks.begin(block + 1) * whole.c_stride;
    } else {
      tile.next_c = whole.c + 32;
    }
    fetch_ahead(tile, block);
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
    Tile tile{};
    tile.b = b_at(panel, begin, end);
    tile.words = end - begin;
    tile.c = gemm.c + part.row_begin * gemm.c_stride + panel * 32;
    tile.c_stride = gemm.c_stride;
    tile.from_c = begin > 0 || gemm.accumulate;
    tile.bias = end == words && gemm.bias != nullptr ? bias : nullptr;
    multiply_block(tile, k_block, columns);
  }
}

/// k blocks of one pass: so many that A's words fit in the second-level cache.
constexpr int64_t pass_blocks(int64_t rows) { return rows <= 64 ? 8 : rows <= 128 ? 4 : 2; }

/// Words of scratch memory that `rows` rows need.
template <class Arithmetic, class Layout>
constexpr int64_t scratch_words(int64_t rows) {
  const int64_t a = Layout::a_block(rows, (rows + Arithmetic::max_rows - 1) / Arithmetic::max_rows);
  return block_words * 32 + Arithmetic::max_rows * 32 + pass_blocks(rows) * a;
}

template <class Arithmetic, class Layout>
constexpr bool scratch_suffices() {
  for (int64_t rows = 1; rows <= gemm_row_chunk; ++rows) {
    if (scratch_words<Arithmetic, Layout>(rows) * 4 > gemm_scratch_bytes) return false;
  }
  return true;
}

template <class Arithmetic, class Layout>
void multiply(const Gemm& gemm, const GemmPart& part, void* scratch) {
  static_assert(scratch_suffices<Arithmetic, Layout>());
  const int64_t rows = part.row_end - part.row_begin;
  const int64_t pass_words = pass_blocks(rows) * block_words;
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
