#pragma once

#include <stdint.h>

#include "kernels/isa.h"

/// sum_N[n] += Σ_t x[t · stride + n] for n in [begin, end), in ascending t.
HONE_DECLARE_KERNEL(void, add_column_sums,
                    (const float* x, int64_t rows, int64_t stride, int64_t begin, int64_t end, float* sum_N))
