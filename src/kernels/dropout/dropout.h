#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace hone::kernels {

/// Zeroes each element with the given probability and scales the rest by 1 / (1 - probability). The mask is a pure
/// function of (key, index of the element), so backward applies the same call to the gradient.
at::Tensor dropout(const at::Tensor& x, double probability, std::uint64_t key);

}  // namespace hone::kernels
