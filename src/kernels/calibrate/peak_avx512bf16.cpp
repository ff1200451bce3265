#include <immintrin.h>

#include "kernels/calibrate/calibrate_cpu.h"

namespace hone::kernels::avx512bf16 {

double peak_bfloat16(int64_t steps) {
  constexpr int64_t chains = 14;
  __m512 sum[chains];
  for (int64_t c = 0; c < chains; ++c) {
    sum[c] = _mm512_set1_ps(static_cast<float>(c));
    asm volatile("" : "+v"(sum[c]));  // unknown and distinct to the compiler
  }
  const __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5F), _mm512_set1_ps(0.5F));
  for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 14
    for (int64_t c = 0; c < chains; ++c) sum[c] = _mm512_dpbf16_ps(sum[c], a, a);
  }
  for (int64_t c = 0; c < chains; ++c) asm volatile("" : : "v"(sum[c]));
  return 4.0 * 16 * static_cast<double>(steps * chains);
}

}  // namespace hone::kernels::avx512bf16
