#pragma once

#include <bit>
#include <cstdint>

/// The 16-bit floats as bits, one value at a time, without branches, so that loops over them become vector code.
namespace hone {

/// Exact.
inline float bfloat16_to_float(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

namespace detail {
/// All ones where a < b, else 0; both below 2^31. Selecting with masks keeps compilers from making branches of it.
inline std::uint32_t less(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(a - b) >> 31);
}
inline std::uint32_t select(std::uint32_t mask, std::uint32_t yes, std::uint32_t no) {
  return (yes & mask) | (no & ~mask);
}
}  // namespace detail

/// Exact; NaN keeps its payload.
inline float float16_to_float(std::uint16_t bits) {
  const std::uint32_t magnitude = bits & 0x7fffu;
  const std::uint32_t shifted = magnitude << 13;
  // Subnormals: the fraction counts units of 2^-24, as it does in a float of exponent 2^-14 once that is taken away.
  const float subnormal = std::bit_cast<float>(0x38800000u | shifted) - std::bit_cast<float>(0x38800000u);
  const std::uint32_t normal = shifted + detail::select(detail::less(magnitude, 0x7c00u), 0x38000000u, 0x70000000u);
  const std::uint32_t value =
      detail::select(detail::less(magnitude, 0x0400u), std::bit_cast<std::uint32_t>(subnormal), normal);
  return std::bit_cast<float>(value | (std::uint32_t{bits} & 0x8000u) << 16);
}

/// To the nearest, ties to even; beyond the greatest value infinity; NaN stays NaN.
inline std::uint16_t float_to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  const std::uint32_t nan = bits | 0x00400000u;
  return static_cast<std::uint16_t>(detail::select(detail::less(0x7f800000u, bits & 0x7fffffffu), nan, rounded) >>
                                    16);
}

/// To the nearest, ties to even; from 65520 on infinity; NaN stays NaN.
inline std::uint16_t float_to_float16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  const std::uint32_t normal = (magnitude - 0x38000000u + 0x0fffu + (magnitude >> 13 & 1u)) >> 13;
  // Below 2^-14 the unit is 2^-24, which is what the addition of 0.5 rounds to.
  const std::uint32_t small = detail::less(magnitude, 0x38800000u);
  const std::uint32_t subnormal =
      std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude & small) + 0.5f) - 0x3f000000u;
  const std::uint32_t nan = 0x7e00u | (magnitude >> 13 & 0x03ffu);
  std::uint32_t result = detail::select(small, subnormal, normal);
  result = detail::select(detail::less(magnitude, 0x477ff000u), result, 0x7c00u);
  result = detail::select(detail::less(0x7f800000u, magnitude), nan, result);
  return static_cast<std::uint16_t>(result | (bits >> 16 & 0x8000u));
}

}  // namespace hone
