#include "kernels/linear/int8_cpu.h"

#include <immintrin.h>

#include "kernels/linear/int8_kernel.h"

namespace hone::kernels::HONE_ISA {

namespace {

#if HONE_VECTOR_BYTES == 64
using Register = __m512i;
Register add_pairs(Register a, Register b) { return _mm512_madd_epi16(a, b); }
#elif HONE_VECTOR_BYTES == 32
using Register = __m256i;
Register add_pairs(Register a, Register b) { return _mm256_madd_epi16(a, b); }
#else
using Register = __m128i;
Register add_pairs(Register a, Register b) { return _mm_madd_epi16(a, b); }
#endif

typedef int16_t Shorts __attribute__((vector_size(HONE_VECTOR_BYTES)));

/// Bytes widened to 16 bits, which no sum of two products overflows: the even ones of a word and the odd ones. A row of A
/// holds all its even pairs, then all its odd ones.
struct WidenedPairs {
  struct Operand {
    Register even, odd;
  };
  struct Scalar {
    Register even, odd;
  };
#if defined(__AVX512F__)
  static constexpr int max_rows = 12;
#elif defined(__AVX2__)
  static constexpr int max_rows = 4;
#else
  static constexpr int max_rows = 3;
#endif
  static Operand operand(const uint32_t* word) {
    const Ints bytes = load_ints(word);
    return {reinterpret_cast<Register>(bytes & 0x00ff00ff), reinterpret_cast<Register>((bytes >> 8) & 0x00ff00ff)};
  }
  static Scalar scalar(const uint32_t* word, int64_t words) {
    return {reinterpret_cast<Register>(Ints{} + static_cast<int32_t>(*word)),
            reinterpret_cast<Register>(Ints{} + static_cast<int32_t>(word[words]))};
  }
  static Ints multiply_add(const Scalar& a, const Operand& b, Ints sum) {
    sum += reinterpret_cast<Ints>(add_pairs(a.even, b.even));
    return sum + reinterpret_cast<Ints>(add_pairs(a.odd, b.odd));
  }
};

/// One column of a panel: `out` has a word every 32. Returns the column's scale.
float pack_column(const float* weight, int64_t depth, uint32_t* out) {
  constexpr int64_t block = 256;
  uint32_t line[block];
  const Step step = quantization_step(weight, depth);
  for (int64_t k = 0; k < depth; k += 4 * block) {
    const int64_t count = depth - k < 4 * block ? depth - k : 4 * block;
    if (step.inverse == 0) {
      memset(line, 0, sizeof line);
    } else {
      quantize_row(weight + k, count, step.inverse, 128, line);
    }
    for (int64_t w = 0; w < (count + 3) / 4; ++w) out[(k / 4 + w) * 32] = line[w];
  }
  return step.scale;
}

}  // namespace

void quantize_rows(const float* x, int64_t depth, int64_t row_begin, int64_t row_end, const Int8Rows& rows) {
  const int64_t words = (depth + 3) / 4;
  for (int64_t row = row_begin; row < row_end; ++row) {
    quantize_row(x, depth, row, rows);
    uint32_t* even = rows.words + row * rows.pitch;
    uint32_t* odd = even + words;
    for (int64_t w = 0; w < words; ++w) {
      const uint32_t bytes = even[w];
      const auto widened = [bytes](int shift) { return static_cast<uint16_t>(static_cast<int8_t>(bytes >> shift)); };
      odd[w] = widened(8) | static_cast<uint32_t>(widened(24)) << 16;
      even[w] = widened(0) | static_cast<uint32_t>(widened(16)) << 16;
    }
  }
}

void gemm_int8(const Int8Gemm& gemm, const GemmPart& part) { multiply<WidenedPairs>(gemm, part); }

void pack_weight_int8(const float* weight, int64_t columns, int64_t depth, int64_t panel_begin, int64_t panel_end,
                      uint32_t* panels, float* column_scale) {
  const int64_t words = (depth + 3) / 4;
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    uint32_t* out = panels + panel * words * 32;
    for (int64_t j = 0; j < 32; ++j) {
      const int64_t column = panel * 32 + j;
      if (column < columns) {
        column_scale[column] = pack_column(weight + column * depth, depth, out + j);
      } else {
        column_scale[column] = 0;
        for (int64_t w = 0; w < words; ++w) out[w * 32 + j] = 0;
      }
    }
  }
}

}  // namespace hone::kernels::HONE_ISA
