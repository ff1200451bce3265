#include "rewards/math/field.h"

#include <charconv>
#include <cstdlib>

namespace hone::math {

std::uint64_t field_add(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t sum = a + b;
  return sum >= field_prime ? sum - field_prime : sum;
}

std::uint64_t field_negate(std::uint64_t a) { return a == 0 ? 0 : field_prime - a; }

std::uint64_t field_multiply(std::uint64_t a, std::uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return field_add(static_cast<std::uint64_t>(product & field_prime), static_cast<std::uint64_t>(product >> 61));
}

std::uint64_t field_power(std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) == 1) result = field_multiply(result, base);
    base = field_multiply(base, base);
  }
  return result;
}

std::optional<std::uint64_t> field_inverse(std::uint64_t a) {
  if (a == 0) return std::nullopt;
  return field_power(a, field_prime - 2);
}

std::optional<std::uint64_t> field_of_decimal(std::string_view decimal) {
  std::uint64_t value = 0;
  std::int64_t scale = 0;
  bool after_point = false;
  std::size_t i = 0;
  for (; i < decimal.size() && decimal[i] != 'e'; ++i) {
    if (decimal[i] == '.') {
      after_point = true;
      continue;
    }
    value = field_add(field_multiply(value, 10), static_cast<std::uint64_t>(decimal[i] - '0'));
    scale -= after_point;
  }
  if (i < decimal.size()) {
    std::int64_t exponent = 0;
    const std::size_t first = i + 1 + (decimal[i + 1] == '+');
    const auto read = std::from_chars(decimal.data() + first, decimal.data() + decimal.size(), exponent);
    if (read.ec != std::errc() || std::abs(exponent) > 100'000) return std::nullopt;
    scale += exponent;
  }
  const std::uint64_t power = field_power(10, static_cast<std::uint64_t>(std::abs(scale)));
  return field_multiply(value, scale < 0 ? *field_inverse(power) : power);
}

}  // namespace hone::math
