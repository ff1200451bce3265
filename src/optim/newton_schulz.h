#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace hone {

/// About U·Vᵀ of a matrix U·S·Vᵀ: its singular values are pulled to between 0.7 and 1.2 by `iterations` of the quintic
/// X ← 3.4445·X - 4.7750·(XXᵀ)X + 2.0315·(XXᵀ)²X, begun at X/‖X‖ (Jordan et al. 2024; Bernstein and Newhouse 2024).
/// Products are taken in `compute` (float32 or bfloat16); the result is float32. Zeros stay zeros.
at::Tensor orthogonalized(const at::Tensor& matrix, std::int64_t iterations, at::ScalarType compute);

}  // namespace hone
