#pragma once

#include <stdint.h>

#include "kernels/isa.h"

namespace hone::kernels {

inline constexpr int64_t sample_block = 64;  ///< logits that share one peak and one mass

}  // namespace hone::kernels

/// Largest logit of each block of 64; the last block may be shorter.
HONE_DECLARE_KERNEL(void, sample_peaks, (const float* logits, int64_t count, float* peak))

/// mass[i] = exp(logits[i] · inverse_temperature - log_sum_exp).
HONE_DECLARE_KERNEL(void, sample_masses,
                    (const float* logits, int64_t count, float inverse_temperature, float log_sum_exp, float* mass))

/// Sum of the masses of each block of 64.
HONE_DECLARE_KERNEL(void, sample_block_masses,
                    (const float* logits, int64_t count, float inverse_temperature, float log_sum_exp, float* mass))

/// Writes the ids whose logit is at least `threshold` in ascending order and returns how many. `peak` holds the block
/// peaks: blocks below the threshold are skipped. `id` has room for `count`.
HONE_DECLARE_KERNEL(int64_t, sample_filter,
                    (const float* logits, const float* peak, int64_t count, float threshold, int32_t* id))
