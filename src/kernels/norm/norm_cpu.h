#pragma once

#include <stdint.h>

#include "kernels/isa.h"

/// Rows are contiguous and `width` floats long; `scale` is weight + weight_offset.

/// sum = x + residual, out = sum · rstd · scale. `residual` may be null; then `sum` is not written.
HONE_DECLARE_KERNEL(void, rms_norm_rows,
                    (const float* x, const float* residual, const float* weight, float weight_offset, float eps,
                     int64_t rows, int64_t width, float* sum, float* out, float* rstd))

/// dsum of the rows; adds dout · sum · rstd to dweight[width] row by row. `dsum_extra` and `dweight` may be null.
HONE_DECLARE_KERNEL(void, rms_norm_backward_rows,
                    (const float* dout, const float* dsum_extra, const float* sum, const float* rstd,
                     const float* weight, float weight_offset, int64_t rows, int64_t width, float* dsum,
                     float* dweight))
