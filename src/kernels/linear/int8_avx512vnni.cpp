#include <immintrin.h>

#include "kernels/linear/int8_kernel.h"

namespace hone::kernels::avx512vnni {

namespace {

struct DotProducts {
  using Operand = __m512i;
  using Scalar = __m512i;
  static constexpr int max_rows = 14;  // 28 sums, two vectors of B and one of A in 32 registers
  static Operand operand(const uint32_t* word) { return _mm512_loadu_si512(word); }
  static Scalar scalar(const uint32_t* word, int64_t /*words*/) { return _mm512_set1_epi32(static_cast<int>(*word)); }
  static Ints multiply_add(Scalar a, Operand b, Ints sum) {
    return reinterpret_cast<Ints>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), b, a));
  }
};

}  // namespace

void quantize_rows(const float* x, int64_t depth, int64_t row_begin, int64_t row_end, const Int8Rows& rows) {
  for (int64_t row = row_begin; row < row_end; ++row) quantize_row(x, depth, row, rows);
}

void gemm_int8(const Int8Gemm& gemm, const GemmPart& part) { multiply<DotProducts>(gemm, part); }

}  // namespace hone::kernels::avx512vnni
