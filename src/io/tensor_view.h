#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

enum class DType { f32, f16, bf16, f64, i64, i32, i16, i8, u8, boolean };

/// Bytes of one element.
std::size_t element_size(DType dtype);
/// The name safetensors files use: "F32", "BF16", "BOOL".
std::string_view dtype_name(DType dtype);
/// The inverse; nothing for a name that is not in the list above.
std::optional<DType> dtype_named(std::string_view name);

/// A tensor as bytes on disk or in memory: row-major, little-endian, contiguous. The bytes belong to somebody else
/// (a mapped file, an arena) and must outlive the view.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;  ///< empty: a scalar
  std::span<const std::byte> bytes;
};

}  // namespace hone
