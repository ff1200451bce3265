#pragma once

#include <stdint.h>

#include "kernels/isa.h"

/// `columns` neighbouring columns of the `rows` ≥ 1 rows of one sequence; rows are `stride` floats apart.

/// out = Σ weight(t) · x[t] / total, where weight(t) is 1 or, when `rising`, t + 1.
HONE_DECLARE_KERNEL(void, pool_mean,
                    (const float* x, int64_t stride, int64_t rows, int64_t columns, bool rising, float* out))

/// out = the largest of each column, row = first_row + its number.
HONE_DECLARE_KERNEL(void, pool_max,
                    (const float* x, int64_t stride, int64_t rows, int64_t columns, int32_t first_row, float* out,
                     int32_t* row))

/// dx[t] = dout · weight(t) / total.
HONE_DECLARE_KERNEL(void, pool_mean_backward,
                    (const float* dout, int64_t stride, int64_t rows, int64_t columns, bool rising, float* dx))
