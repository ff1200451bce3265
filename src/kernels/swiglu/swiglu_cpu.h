#pragma once

#include <stdint.h>

#include "kernels/isa.h"

/// Rows of gate_up hold `width` gates, then `width` ups.
HONE_DECLARE_KERNEL(void, swiglu_rows, (const float* gate_up, int64_t rows, int64_t width, float* out))
HONE_DECLARE_KERNEL(void, swiglu_backward_rows,
                    (const float* dout, const float* gate_up, int64_t rows, int64_t width, float* dgate_up))
