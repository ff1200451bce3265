#pragma once

#include <cstdint>

namespace hone {

/// A pseudo-random bijection of [0, size) computed element by element, so that a space of any size can be cut or walked
/// in random order without a table. A balanced Feistel network over the next even number of bits, with Philox as its
/// round function and cycle walking back into the range (Black and Rogaway, "Ciphers with arbitrary finite domains",
/// 2002).
class Permutation {
 public:
  /// size ≥ 1 and below 2^62.
  Permutation(std::uint64_t key, std::uint64_t size);
  std::uint64_t size() const { return size_; }
  /// index < size
  std::uint64_t operator()(std::uint64_t index) const;

 private:
  std::uint64_t key_;
  std::uint64_t size_;
  int half_bits_ = 1;
};

}  // namespace hone
