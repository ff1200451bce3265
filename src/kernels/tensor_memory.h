#pragma once

#include <c10/core/Allocator.h>

namespace hone::kernels {

/// Memory of tensors up to 1 MiB that keeps up to 16 MiB of freed blocks for the next tensors of their size: a decode step
/// allocates the same ones again and again, and the system's aligned allocation takes a tenth of a small model's time.
/// Aligned to a cache line. Larger tensors get what LibTorch gives them. Any thread.
c10::Allocator& tensor_memory();

/// Makes it the memory of all tensors on the CPU from now on.
void use_tensor_memory();

}  // namespace hone::kernels
