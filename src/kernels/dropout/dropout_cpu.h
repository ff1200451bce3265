#pragma once

#include <stdint.h>

#include "kernels/isa.h"

/// Elements 4·block … of the whole tensor, `count` of them from `x` on: element 4·b + w is kept when word w of
/// philox(counter (b, 0, 0), key) is at least `threshold`; then it is multiplied by `scale`.
HONE_DECLARE_KERNEL(void, dropout_range,
                    (const float* x, int64_t block, int64_t count, uint64_t key, uint32_t threshold, float scale,
                     float* out))
