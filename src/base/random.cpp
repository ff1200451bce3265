#include "base/random.h"

#include <cmath>
#include <numbers>

namespace hone {

namespace {

constexpr double two_pow_minus_53 = 1.0 / 9007199254740992.0;

double to_unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 32 | low) >> 11;
  return static_cast<double>(bits) * two_pow_minus_53;
}

std::array<std::uint32_t, 2> split(std::uint64_t value) {
  return {static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value >> 32)};
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = 0xD2511F53ULL * counter[0];
    const std::uint64_t product1 = 0xCD9E8D57ULL * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

std::uint64_t stream_key(std::uint64_t seed, std::string_view purpose) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  const auto mixed = philox({split(hash)[0], split(hash)[1], 0, 0}, split(seed));
  return static_cast<std::uint64_t>(mixed[1]) << 32 | mixed[0];
}

Random::Random(std::uint64_t key, std::uint64_t a, std::uint32_t b)
    : key_(split(key)), counter_{0, b, split(a)[0], split(a)[1]} {}

std::uint32_t Random::next() {
  if (used_ == 4) {
    block_ = philox(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

std::uint64_t Random::next64() {
  const std::uint64_t high = next();
  return high << 32 | next();
}

double Random::uniform() {
  const std::uint32_t high = next();
  return to_unit(high, next());
}

std::uint64_t Random::below(std::uint64_t bound) {
  const std::uint64_t reject = -bound % bound;  // 2^64 mod bound
  std::uint64_t value = next64();
  while (value < reject) value = next64();
  return value % bound;
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double uniform_at(std::uint64_t key, std::uint64_t a, std::uint32_t b, std::uint32_t c) {
  const auto words = philox({c, b, split(a)[0], split(a)[1]}, split(key));
  return to_unit(words[0], words[1]);
}

}  // namespace hone
