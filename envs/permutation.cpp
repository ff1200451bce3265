#include "envs/permutation.h"

#include "base/error.h"
#include "base/random.h"

namespace hone {

namespace {

constexpr std::uint32_t rounds = 6;

}  // namespace

Permutation::Permutation(std::uint64_t key, std::uint64_t size) : key_(key), size_(size) {
  HONE_ASSERT(size >= 1 && size < (1ULL << 62));
  while ((1ULL << (2 * half_bits_)) < size) ++half_bits_;
}

std::uint64_t Permutation::operator()(std::uint64_t index) const {
  HONE_ASSERT(index < size_);
  const std::uint64_t mask = (1ULL << half_bits_) - 1;
  const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)};
  do {
    std::uint64_t left = index >> half_bits_;
    std::uint64_t right = index & mask;
    for (std::uint32_t round = 0; round < rounds; ++round) {
      const std::uint32_t word = philox({static_cast<std::uint32_t>(right), round, 0, 0}, key)[0];
      const std::uint64_t mixed = (left ^ word) & mask;
      left = right;
      right = mixed;
    }
    index = left << half_bits_ | right;
  } while (index >= size_);
  return index;
}

}  // namespace hone
