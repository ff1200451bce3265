#pragma once

#include <stdint.h>

#include "kernels/isa.h"

/// The matrix product behind every linear layer: C[r, j] (+)= Σ_k A[r, k] · B[k, j] + bias[j].
///
/// Both operands are read as 32-bit words along k: one float32, or two consecutive bfloat16 (the even k in the low half;
/// an odd depth is padded with zeros). B lies in panels of 32 columns: word [panel][k word][column], zero beyond the
/// last column. A is brought into scratch memory a block at a time, so only words are read in the inner loop.
///
/// Each element of C is one chain of fused multiply-adds over ascending k words that starts from 0 or from C itself, so
/// its bits depend neither on the other rows nor on how the work is cut. With bfloat16 a step adds two products: the
/// dot-product instruction on CPUs that have it (which takes denormals as zero), two multiply-adds elsewhere.
namespace hone::kernels {

inline constexpr int64_t panel_width = 32;

/// Plain pointers of one product. Read only while the call runs.
struct Gemm {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t depth = 0;  ///< in elements

  const float* a = nullptr;   ///< A[r, k] at a[r · a_stride + k], or at a[k · a_stride + r] when a_transposed
  const uint16_t* a_bfloat16 = nullptr;  ///< A in bfloat16, in place of `a`, where words are bfloat16
  int64_t a_stride = 0;
  bool a_transposed = false;

  const uint32_t* panels = nullptr;  ///< all panels of B, packed before; or null, then
  const float* b = nullptr;          ///< B[k, j] at b[k · b_stride + j]
  const uint16_t* b_bfloat16 = nullptr;  ///< B in bfloat16, in place of `b`, likewise
  int64_t b_stride = 0;

  float* c = nullptr;
  int64_t c_stride = 0;
  bool accumulate = false;       ///< chains start from C
  const float* bias = nullptr;   ///< added after the chain; null: none
};

/// A part of C: whole panels, at most gemm_row_chunk rows.
struct GemmPart {
  int64_t row_begin = 0;
  int64_t row_end = 0;
  int64_t panel_begin = 0;
  int64_t panel_end = 0;
};

/// Words [word_begin, word_end) of panels [panel_begin, panel_end).
struct PanelPart {
  int64_t panel_begin = 0;
  int64_t panel_end = 0;
  int64_t word_begin = 0;
  int64_t word_end = 0;
};

inline constexpr int64_t gemm_row_chunk = 256;
/// Bytes of scratch memory, aligned to 64, that one call of a gemm function needs.
inline constexpr int64_t gemm_scratch_bytes = 832 * 1024;

}  // namespace hone::kernels

HONE_DECLARE_KERNEL(void, gemm_float32, (const Gemm& gemm, const GemmPart& part, void* scratch))
HONE_DECLARE_KERNEL(void, gemm_bfloat16, (const Gemm& gemm, const GemmPart& part, void* scratch))

/// Panels [panel_begin, panel_end) of B[k, j] = weight[j · stride + k]: the weight of a forward product.
HONE_DECLARE_KERNEL(void, pack_weight_float32,
                    (const float* weight, int64_t stride, int64_t columns, int64_t depth, int64_t panel_begin,
                     int64_t panel_end, uint32_t* panels))
HONE_DECLARE_KERNEL(void, pack_weight_bfloat16,
                    (const float* weight, int64_t stride, int64_t columns, int64_t depth, int64_t panel_begin,
                     int64_t panel_end, uint32_t* panels))

/// A part of the panels of B[k, j] = b[k · stride + j]: the weight of a backward product, the input of a weight gradient.
HONE_DECLARE_KERNEL(void, pack_rows_float32,
                    (const float* b, int64_t stride, int64_t columns, int64_t depth, const PanelPart& part,
                     uint32_t* panels))
HONE_DECLARE_KERNEL(void, pack_rows_bfloat16,
                    (const float* b, int64_t stride, int64_t columns, int64_t depth, const PanelPart& part,
                     uint32_t* panels))

/// The same of a matrix in bfloat16.
HONE_DECLARE_KERNEL(void, pack_bfloat16_rows,
                    (const uint16_t* b, int64_t stride, int64_t columns, int64_t depth, const PanelPart& part,
                     uint32_t* panels))

/// The same functions with the dot-product and conversion instructions, for CPUs where has_bfloat16().
namespace hone::kernels::avx512bf16 {
void gemm_bfloat16(const Gemm& gemm, const GemmPart& part, void* scratch);
void pack_rows_bfloat16(const float* b, int64_t stride, int64_t columns, int64_t depth, const PanelPart& part,
                        uint32_t* panels);
}  // namespace hone::kernels::avx512bf16
