#pragma once

#include <stdint.h>

#include "kernels/activation/kind.h"
#include "kernels/isa.h"

HONE_DECLARE_KERNEL(void, activation_values,
                    (::hone::kernels::Activation activation, const float* x, int64_t count, float* out))
HONE_DECLARE_KERNEL(void, activation_gradients,
                    (::hone::kernels::Activation activation, const float* dout, const float* x, int64_t count,
                     float* dx))

/// Rows of gate_up hold `width` gates, then `width` ups.
HONE_DECLARE_KERNEL(void, gated_rows,
                    (::hone::kernels::Activation activation, const float* gate_up, int64_t rows, int64_t width,
                     float* out))
/// `out`: what gated_rows gives, again; may be null.
HONE_DECLARE_KERNEL(void, gated_backward_rows,
                    (::hone::kernels::Activation activation, const float* dout, const float* gate_up, int64_t rows,
                     int64_t width, float* dgate_up, float* out))

/// The same with results in bfloat16, rounded as products round their operands.
HONE_DECLARE_KERNEL(void, gated_rows_bfloat16,
                    (::hone::kernels::Activation activation, const float* gate_up, int64_t rows, int64_t width,
                     uint16_t* out))
HONE_DECLARE_KERNEL(void, gated_backward_rows_bfloat16,
                    (::hone::kernels::Activation activation, const float* dout, const float* gate_up, int64_t rows,
                     int64_t width, uint16_t* dgate_up, uint16_t* out))

/// The same functions with the conversion instruction, for CPUs where has_bfloat16().
namespace hone::kernels::avx512bf16 {
void gated_rows_bfloat16(Activation activation, const float* gate_up, int64_t rows, int64_t width, uint16_t* out);
void gated_backward_rows_bfloat16(Activation activation, const float* dout, const float* gate_up, int64_t rows,
                                  int64_t width, uint16_t* dgate_up, uint16_t* out);
}  // namespace hone::kernels::avx512bf16
