#include <immintrin.h>

#include "kernels/activation/activation_cpu.h"
#include "kernels/activation/activation_kernel.h"

namespace hone::kernels::avx512bf16 {

namespace {

/// Results in bfloat16, rounded by the conversion instruction (which takes denormals as zero, as products do here).
struct ConvertedResults {
  using Element = uint16_t;
  static __m256i converted(Floats x) {
    return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(x)));
  }
  static void store(uint16_t* to, Floats x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), converted(x)); }
  static void store_first(uint16_t* to, Floats x, int64_t count) {
    _mm256_mask_storeu_epi16(to, static_cast<__mmask16>((1U << count) - 1), converted(x));
  }
};

}  // namespace

void gated_rows_bfloat16(Activation activation, const float* gate_up, int64_t rows, int64_t width, uint16_t* out) {
  gated_forward_rows<ConvertedResults>(activation, gate_up, rows, width, out);
}

void gated_backward_rows_bfloat16(Activation activation, const float* dout, const float* gate_up, int64_t rows,
                                  int64_t width, uint16_t* dgate_up, uint16_t* out) {
  gated_gradient_rows<ConvertedResults>(activation, dout, gate_up, rows, width, dgate_up, out);
}

}  // namespace hone::kernels::avx512bf16
