#pragma once

#include <stdint.h>

#include "kernels/isa.h"

/// `steps` rounds of independent multiply-adds in registers. Returns the floating-point operations done.
HONE_DECLARE_KERNEL(double, peak_float32, (int64_t steps))

/// One pass over memory of `count` floats each; bytes moved are 4, 8 and 12 times `count`.
HONE_DECLARE_KERNEL(float, read_memory, (const float* from, int64_t count))
HONE_DECLARE_KERNEL(void, copy_memory, (float* to, const float* from, int64_t count))
HONE_DECLARE_KERNEL(void, triad_memory, (float* to, const float* a, const float* b, float factor, int64_t count))

namespace hone::kernels::avx512bf16 {
double peak_bfloat16(int64_t steps);
}
