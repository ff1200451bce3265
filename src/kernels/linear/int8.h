#pragma once

#include <cstdint>

#include "kernels/linear/gemm.h"

namespace hone::kernels {

/// C = A · Wᵀ + bias with a weight of Compute::int8; the rows of A are quantised here. `bias` may be null.
void multiply_int8(const PackedWeight::Storage& weight, const float* a, std::int64_t rows, const float* bias, float* c);

}  // namespace hone::kernels
