#pragma once

#include <stdint.h>

#include "kernels/isa.h"

/// Rows are contiguous and `width` floats long.

/// sum = x + residual, out = (sum - mean) · rstd · weight + bias. `residual` may be null, then `sum` is not written; so
/// may `bias`.
HONE_DECLARE_KERNEL(void, layer_norm_rows,
                    (const float* x, const float* residual, const float* weight, const float* bias, float eps,
                     int64_t rows, int64_t width, float* sum, float* out, float* mean, float* rstd))

namespace hone::kernels {

/// What a backward pass reads. `dsum_extra` may be null.
struct LayerNormRows {
  const float* dout = nullptr;
  const float* dsum_extra = nullptr;
  const float* sum = nullptr;
  const float* mean = nullptr;
  const float* rstd = nullptr;
  const float* weight = nullptr;
};

}  // namespace hone::kernels

/// dsum of the rows; adds dout · (sum - mean) · rstd to dweight[width] and dout to dbias[width] row by row, where they
/// are not null.
HONE_DECLARE_KERNEL(void, layer_norm_backward_rows,
                    (const LayerNormRows& in, int64_t rows, int64_t width, float* dsum, float* dweight, float* dbias))
