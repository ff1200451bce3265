#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace hone {

/// One list; what it is a list of is the index of the alternative, as in GgufValue.
using GgufList = std::variant<std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                              std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>,
                              std::vector<float>, std::vector<bool>, std::vector<std::string>, std::monostate,
                              std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>>;

/// The value of a key. The index of the alternative is the type's number in the file.
using GgufValue = std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t,
                               float, bool, std::string, GgufList, std::uint64_t, std::int64_t, double>;

/// Element types of tensors, by their numbers in the file.
enum class GgufType : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q8_0 = 8,  ///< blocks of 32: a float16 scale, then 32 signed bytes
  bf16 = 30
};

struct GgufTensor {
  std::string name;
  std::vector<std::int64_t> shape;  ///< row-major, as in PyTorch: the file has it reversed; 1 to 4 sizes
  GgufType type = GgufType::f32;    ///< q8_0: the last size must be a multiple of 32
  /// Writes the values, as many as the shape has. Called once, when the tensor's turn has come.
  std::function<void(float* values)> fill;
};

/// Bytes of one row of `width` values.
std::uint64_t gguf_row_bytes(GgufType type, std::uint64_t width);

/// Quantises whole blocks of 32 as the format's reference does: scale = greatest magnitude / 127, values rounded to
/// the nearest with the unrounded scale, halves away from zero. `to` takes 34 bytes a block. Returns whether every
/// value was finite and every scale can be a float16.
bool quantize_q8_0(std::span<const float> values, std::byte* to);

/// Writes a GGUF file of version 3, atomically: the keys, the tensors' descriptions, then their data, each aligned to
/// 32 bytes. The same input gives the same bytes; one tensor at a time is in memory. Error{data} that names a tensor
/// with values that its type cannot hold. Keys and names must differ, shapes fit the types (programmer errors).
void write_gguf(const std::filesystem::path& path, std::span<const std::pair<std::string, GgufValue>> keys,
                std::span<const GgufTensor> tensors);

}  // namespace hone
