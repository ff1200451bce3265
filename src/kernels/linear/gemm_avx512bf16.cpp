#include <immintrin.h>

#include "kernels/linear/gemm_kernel.h"

namespace hone::kernels::avx512bf16 {

namespace {

struct DotProducts {
  using Words = Bfloat16Words;
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

}  // namespace hone::kernels::avx512bf16
