#pragma once

/// How matrices become words (see gemm_cpu.h). Included by the gemm sources only; in an unnamed namespace,
/// so that nothing compiled for a wide instruction set is shared with other files.

#include <string.h>

#include "kernels/bfloat16.h"
#include "kernels/linear/gemm_cpu.h"
#include "kernels/transpose.h"

namespace hone::kernels {
namespace {

/// Words of two floats: `even` in the low half, `odd` in the high half.
Ints join_bfloat16(Ints even, Ints odd) {
  const Ints low = (round_to_bfloat16(even) >> 16) & 0xffff;
  return low | round_to_bfloat16(odd);
}

uint32_t round_to_bfloat16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return (bits | 0x00400000U) & 0xffff0000U;
  return (bits + (0x7fffU + ((bits >> 16) & 1U))) & 0xffff0000U;
}

uint32_t join_bfloat16(float even, float odd) {
  return (round_to_bfloat16(even) >> 16) | round_to_bfloat16(odd);
}

/// One float32 a word.
struct Float32Words {
  using Element = float;
  static constexpr int64_t elements = 1;

  /// Words [0, count) of a row of `length` floats along k.
  static void along_row(const float* row, int64_t length, int64_t count, uint32_t* words) {
    (void)length;
    memcpy(words, row, static_cast<size_t>(count) * 4);
  }

  /// One vector of columns of a word: of one matrix row.
  static Ints across(const float* from) { return load_ints(from); }
};

/// Two bfloat16 a word, rounded with integer arithmetic.
struct Bfloat16Words {
  using Element = float;
  static constexpr int64_t elements = 2;

  static void along_row(const float* row, int64_t length, int64_t count, uint32_t* words) {
    const int64_t full = length / 2 < count ? length / 2 : count;
    for (int64_t w = 0; w < full; ++w) words[w] = join_bfloat16(row[2 * w], row[2 * w + 1]);
    for (int64_t w = full; w < count; ++w) words[w] = join_bfloat16(row[2 * w], 0.0F);
  }

  /// Of two rows, or of the last one when their number is odd.
  static Ints across(const float* from, const float* next) { return join_bfloat16(load_ints(from), load_ints(next)); }
  static Ints across(const float* from) { return join_bfloat16(load_ints(from), Ints{}); }
};

/// Two bfloat16 a word, of a matrix that is in bfloat16 already.
struct RoundedWords {
  using Element = uint16_t;
  static constexpr int64_t elements = 2;

  static void along_row(const uint16_t* row, int64_t length, int64_t count, uint32_t* words) {
    const int64_t present = length < 2 * count ? length : 2 * count;
    words[count - 1] = 0;  // its upper half where the depth is odd
    memcpy(words, row, static_cast<size_t>(present) * 2);
  }

  static Ints across(const uint16_t* from, const uint16_t* next) { return load_halves(from) | (load_halves(next) << 16); }
  static Ints across(const uint16_t* from) { return load_halves(from); }
};

/// Distance at which rows are fetched ahead: parts of rows are too short for the hardware to see a stream.
constexpr int64_t rows_ahead = 8;

/// One word for each column of a vector, and the rows that come soon fetched.
template <class Words>
Ints word_vector(const typename Words::Element* from, int64_t stride) {
  for (int64_t row = 0; row < Words::elements; ++row) __builtin_prefetch(from + (rows_ahead + row) * stride);
  if constexpr (Words::elements == 2) {
    return Words::across(from, from + stride);
  } else {
    return Words::across(from);
  }
}

/// One word for each of `count` columns from `from`, which is row k of a matrix of which `rows_left` rows are left.
/// Writes whole vectors; reads whole vectors as far as `readable` columns exist.
template <class Words>
void across_rows(const typename Words::Element* from, int64_t stride, int64_t rows_left, int64_t count,
                 int64_t readable, uint32_t* words) {
  using Element = typename Words::Element;
  const bool pair = Words::elements == 2 && rows_left >= 2;
  for (int64_t i = 0; i < count; i += vector_lanes) {
    Element edge[2][vector_lanes] = {};
    const Element* first = from + i;
    const Element* next = first + stride;
    for (int64_t row = 0; row < Words::elements; ++row) __builtin_prefetch(first + (rows_ahead + row) * stride);
    if (i + vector_lanes > readable) {
      const size_t bytes = static_cast<size_t>(count - i) * sizeof(Element);
      memcpy(edge[0], first, bytes);
      if (pair) memcpy(edge[1], next, bytes);
      first = edge[0];
      next = edge[1];
    }
    if constexpr (Words::elements == 2) {
      store_ints(words + i, pair ? Words::across(first, next) : Words::across(first));
    } else {
      store_ints(words + i, Words::across(first));
    }
  }
}

/// Words [word_begin, word_end) of one panel of B[k, j] = b[k · stride + j]; `columns` of its 32 exist.
template <class Words>
void pack_rows(const typename Words::Element* b, int64_t stride, int64_t columns, int64_t depth, int64_t word_begin,
               int64_t word_end, uint32_t* out) {
  for (int64_t w = word_begin; w < word_end; ++w, out += 32) {
    const int64_t k = w * Words::elements;
    across_rows<Words>(b + k * stride, stride, depth - k, columns, columns, out);
    const int64_t written = (columns + vector_lanes - 1) / vector_lanes * vector_lanes;
    for (int64_t i = written; i < 32; ++i) out[i] = 0;
  }
}

/// A part of the panels of B[k, j] = b[k · stride + j].
template <class Words>
void pack_panel_part(const typename Words::Element* b, int64_t stride, int64_t columns, int64_t depth,
                     const PanelPart& part, uint32_t* panels) {
  const int64_t words = (depth + Words::elements - 1) / Words::elements;
  for (int64_t panel = part.panel_begin; panel < part.panel_end; ++panel) {
    const int64_t left = columns - panel * 32;
    pack_rows<Words>(b + panel * 32, stride, left < 32 ? left : 32, depth, part.word_begin, part.word_end,
                     panels + (panel * words + part.word_begin) * 32);
  }
}

/// One panel of B[k, j] = weight[j · stride + k]; `columns` of its 32 exist.
template <class Words>
void pack_weight_panel(const float* weight, int64_t stride, int64_t columns, int64_t depth, uint32_t* out) {
  constexpr int64_t block = 64;
  uint32_t line[32][block] = {};  // the block's words, a row for each column: what is missing stays zero
  const int64_t words = (depth + Words::elements - 1) / Words::elements;
  for (int64_t begin = 0; begin < words; begin += block) {
    const int64_t count = words - begin < block ? words - begin : block;
    const int64_t k = begin * Words::elements;
    for (int64_t j = 0; j < columns; ++j) Words::along_row(weight + j * stride + k, depth - k, count, line[j]);
    int64_t w = 0;
    for (; w + vector_lanes <= count; w += vector_lanes) {
      for (int64_t j = 0; j < 32; j += vector_lanes) {
        transpose_square(reinterpret_cast<const float*>(&line[j][w]), block,
                         reinterpret_cast<float*>(out + (begin + w) * 32 + j), 32);
      }
    }
    for (; w < count; ++w) {
      for (int64_t j = 0; j < 32; ++j) out[(begin + w) * 32 + j] = line[j][w];
    }
  }
}

}  // namespace
}  // namespace hone::kernels
