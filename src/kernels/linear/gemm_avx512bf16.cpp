#include <immintrin.h>

#include "kernels/linear/gemm_kernel.h"

namespace hone::kernels::avx512bf16 {

namespace {

/// Two bfloat16 a word, rounded by the conversion instruction (which takes denormals as zero, as the product does).
struct ConvertedWords {
  using Element = float;
  static constexpr int64_t elements = 2;

  static void along_row(const float* row, int64_t length, int64_t count, uint32_t* words) {
    int64_t w = 0;
    for (; w + 16 <= count && 2 * w + 32 <= length; w += 16) {
      const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(row + 2 * w + 16), _mm512_loadu_ps(row + 2 * w));
      _mm512_storeu_si512(words + w, reinterpret_cast<__m512i>(both));
    }
    for (; w < count; w += 16) {
      const int64_t left = (length < 2 * count ? length : 2 * count) - 2 * w;
      const __m512 first = _mm512_maskz_loadu_ps(lanes_below(left), row + 2 * w);
      const __m512 second = _mm512_maskz_loadu_ps(lanes_below(left - 16), row + 2 * w + 16);
      const __m512bh both = _mm512_cvtne2ps_pbh(second, first);
      _mm512_mask_storeu_epi32(words + w, lanes_below(count - w), reinterpret_cast<__m512i>(both));
    }
  }

  static __mmask16 lanes_below(int64_t count) {
    return count >= 16 ? 0xffff : count <= 0 ? 0 : static_cast<__mmask16>((1U << count) - 1);
  }

  static Ints join(__m512 even, __m512 odd) {
    // The conversion gives 16 even halves, then 16 odd ones; a word wants one of each.
    alignas(64) static const int16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                  8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512i halves = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(odd, even));
    return reinterpret_cast<Ints>(_mm512_permutexvar_epi16(_mm512_load_si512(order), halves));
  }
  static Ints across(const float* from, const float* next) {
    return join(_mm512_loadu_ps(from), _mm512_loadu_ps(next));
  }
  static Ints across(const float* from) { return join(_mm512_loadu_ps(from), _mm512_setzero_ps()); }
};

struct DotProducts {
  using Words = ConvertedWords;
  using Operand = __m512bh;
  using Scalar = __m512bh;
  static constexpr int max_rows = 14;  // 28 sums, two vectors of B and one of A in 32 registers
  static Operand operand(const uint32_t* word) { return reinterpret_cast<__m512bh>(_mm512_loadu_si512(word)); }
  static Scalar scalar(const uint32_t* word) {
    return reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(*word)));
  }
  static Floats multiply_add(Scalar a, Operand b, Floats sum) { return _mm512_dpbf16_ps(sum, a, b); }
};

}  // namespace

void gemm_bfloat16(const Gemm& gemm, const GemmPart& part, void* scratch) {
  multiply<DotProducts>(gemm, part, scratch);
}

void pack_rows_bfloat16(const float* b, int64_t stride, int64_t columns, int64_t depth, const PanelPart& part,
                        uint32_t* panels) {
  pack_panel_part<ConvertedWords>(b, stride, columns, depth, part, panels);
}

}  // namespace hone::kernels::avx512bf16
