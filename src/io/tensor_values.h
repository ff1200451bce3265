#pragma once

#include "io/tensor_view.h"

namespace hone {

/// Whether copy_as_float32 reads this type: F32, F16, BF16, F64, BOOL and the whole numbers.
bool has_float32_values(DType dtype);

/// Writes the values of `view`, in its order, to `to` (as many floats as the shape has elements). Exact for F32, F16,
/// BF16, BOOL and whole numbers of up to 16 bits; F64 and wider whole numbers are rounded to the nearest. Uses the
/// team of threads. Pages of a mapped file are given back as soon as they were read, so that a model's weights are
/// never in memory twice. Error{data} naming the tensor for a type that has no such values, or bytes that do not fit
/// the shape.
void copy_as_float32(const TensorView& view, float* to);

/// The same of elements [begin, end) alone, in the calling thread, without giving pages back.
void copy_as_float32(const TensorView& view, std::int64_t begin, std::int64_t end, float* to);

/// Brings the pages of a mapped file that hold elements [begin, end) to where they are read without page faults.
void fetch_pages(const TensorView& view, std::int64_t begin, std::int64_t end);
/// Gives back the pages of a mapped file that hold elements [begin, end) and nothing else.
void release_pages(const TensorView& view, std::int64_t begin, std::int64_t end);

/// Stores floats as F32, F16 or BF16, each rounded to the nearest, ties to even: `to` takes count × its size in
/// bytes. Uses the team of threads. Returns whether every finite value stayed finite.
bool store_floats(std::span<const float> from, DType stored, std::byte* to);

}  // namespace hone
