#pragma once

#include <stdint.h>

#include "kernels/isa.h"
#include "kernels/linear/gemm_cpu.h"

/// The matrix product of weights and activations in eight bits, for inference: C[r, j] = scale_r · scale_j · Σ_k a[r, k] ·
/// w[j, k] + bias[j], where a and w are integers in [-127, 127] and each row of either has one scale, its largest
/// magnitude / 127.
///
/// Sums are exact integers, so the order of additions does not matter, and every instruction set gives the same bits.
/// Weights are stored as w + 128 in unsigned bytes, four consecutive k in a 32-bit word (k in the low byte first), in
/// panels of 32 columns as in gemm_cpu.h; 128 · Σ_k a[r, k] is taken off the sum.
namespace hone::kernels {

/// So many products of 255 · 127 fit in 32 bits.
inline constexpr int64_t int8_max_depth = 65536;

/// Quantised rows of A. The layout of `words` is the instruction set's own: `quantize_rows` writes it, `gemm_int8` of the
/// same set reads it.
struct Int8Rows {
  uint32_t* words = nullptr;  ///< row r at words + r · pitch, aligned to 64 bytes
  int64_t pitch = 0;          ///< at least 2 · ⌈depth / 16⌉ · 4
  float* scale = nullptr;     ///< of each row; NaN where the row holds NaN or infinity
  int32_t* offset = nullptr;  ///< 128 · sum of each row's integers
};

struct Int8Gemm {
  int64_t columns = 0;
  int64_t depth = 0;
  Int8Rows a;
  const uint32_t* panels = nullptr;
  const float* column_scale = nullptr;  ///< whole panels
  const float* bias = nullptr;          ///< null: none
  float* c = nullptr;
  int64_t c_stride = 0;
};

}  // namespace hone::kernels

/// Rows [row_begin, row_end) of x[r · depth + k] to integers, to nearest, ties to even. A row whose largest magnitude is
/// below 1e-30 becomes zeros.
HONE_DECLARE_KERNEL(void, quantize_rows,
                    (const float* x, int64_t depth, int64_t row_begin, int64_t row_end, const Int8Rows& rows))

HONE_DECLARE_KERNEL(void, gemm_int8, (const Int8Gemm& gemm, const GemmPart& part))

/// Panels [panel_begin, panel_end) of weight[j · depth + k], and the scales of their columns.
HONE_DECLARE_KERNEL(void, pack_weight_int8,
                    (const float* weight, int64_t columns, int64_t depth, int64_t panel_begin, int64_t panel_end,
                     uint32_t* panels, float* column_scale))

/// The same functions with the integer dot-product instruction, for CPUs where has_int8_dot().
namespace hone::kernels::avx512vnni {
void quantize_rows(const float* x, int64_t depth, int64_t row_begin, int64_t row_end, const Int8Rows& rows);
void gemm_int8(const Int8Gemm& gemm, const GemmPart& part);
}
