#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// Arithmetic modulo the prime p = 2^61 − 1. A formula of whole numbers and variables has a residue; two that are equal
/// have the same one, and two that are not differ but for one in about 10^18 (Schwartz, "Fast probabilistic algorithms
/// for verification of polynomial identities", 1980). So exact comparison needs no large numbers.
namespace hone::math {

inline constexpr std::uint64_t field_prime = (std::uint64_t{1} << 61) - 1;

std::uint64_t field_add(std::uint64_t a, std::uint64_t b);
std::uint64_t field_negate(std::uint64_t a);
std::uint64_t field_multiply(std::uint64_t a, std::uint64_t b);
std::uint64_t field_power(std::uint64_t base, std::uint64_t exponent);
/// nullopt of 0.
std::optional<std::uint64_t> field_inverse(std::uint64_t a);

/// The residue of digits with a "." and an exponent, 12.5e-3. nullopt for an exponent beyond ±100,000.
std::optional<std::uint64_t> field_of_decimal(std::string_view decimal);

}  // namespace hone::math
