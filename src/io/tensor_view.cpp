#include "io/tensor_view.h"

#include <fmt/ranges.h>

#include <array>
#include <limits>

namespace hone {
namespace {

struct DTypeFacts {
  std::string_view name;
  std::size_t bits;
};
constexpr std::array<DTypeFacts, 22> kDTypes = {
    {{"F32", 32},        {"F16", 16},    {"BF16", 16},   {"F64", 64},    {"I64", 64},    {"I32", 32},
     {"I16", 16},        {"I8", 8},      {"U8", 8},      {"BOOL", 8},    {"U16", 16},    {"U32", 32},
     {"U64", 64},        {"C64", 64},    {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
     {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4}}};
static_assert(static_cast<std::size_t>(DType::f4) + 1 == kDTypes.size());

}  // namespace

std::size_t element_bits(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)].bits; }
std::string_view dtype_name(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)].name; }

std::optional<DType> dtype_named(std::string_view name) {
  for (std::size_t i = 0; i < kDTypes.size(); ++i) {
    if (kDTypes[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> element_count(std::span<const std::int64_t> shape) {
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    const auto factor = static_cast<std::uint64_t>(size);
    if (factor != 0 && count > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
    count *= factor;
  }
  return count;
}

std::optional<std::uint64_t> byte_count(DType dtype, std::span<const std::int64_t> shape) {
  const std::optional<std::uint64_t> count = element_count(shape);
  const std::uint64_t bits = element_bits(dtype);
  if (!count || *count > std::numeric_limits<std::uint64_t>::max() / bits || *count * bits % 8 != 0)
    return std::nullopt;
  return *count * bits / 8;
}

std::string shape_text(std::span<const std::int64_t> shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

}  // namespace hone
