#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// Every element type that the safetensors format has. What hone computes with is less: copy_as_float32 says.
enum class DType {
  f32,
  f16,
  bf16,
  f64,
  i64,
  i32,
  i16,
  i8,
  u8,
  boolean,
  u16,
  u32,
  u64,
  c64,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  f6_e2m3,
  f6_e3m2,
  f4
};

/// Bits of one element: 4 and 6 exist too.
std::size_t element_bits(DType dtype);
/// The name safetensors files use: "F32", "BF16", "BOOL".
std::string_view dtype_name(DType dtype);
/// The inverse; nothing for a name that is not in the list above.
std::optional<DType> dtype_named(std::string_view name);

/// Elements of a shape; nothing when a size is negative or the product overflows. An empty shape has one.
std::optional<std::uint64_t> element_count(std::span<const std::int64_t> shape);
/// Bytes of a tensor; nothing when that overflows or is not a whole number.
std::optional<std::uint64_t> byte_count(DType dtype, std::span<const std::int64_t> shape);

/// A tensor as bytes on disk or in memory: row-major, little-endian, contiguous. The bytes belong to somebody else
/// (a mapped file, an arena) and must outlive the view. They may be misaligned for their type.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;  ///< empty: a scalar
  std::span<const std::byte> bytes;
  bool mapped = false;  ///< the bytes are a read-only mapping of a file: pages that were read may be given back
};

/// "[2, 3]".
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace hone
