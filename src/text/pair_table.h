#pragma once

#include "text/byte_map.h"

#include <utility>

namespace hone {

/// A pair of neighbouring tokens as one key.
inline std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
}

/// What the merge of a pair is worth and gives.
struct Merge {
  std::uint32_t rank = UINT32_MAX;  ///< UINT32_MAX: the pair does not merge
  std::int32_t id = -1;
};

/// Pair to merge: flat and open-addressed, one cache line a look-up as a rule.
class PairTable {
 public:
  explicit PairTable(std::size_t count) {
    std::size_t capacity = 16;
    while (capacity < 2 * count) capacity *= 2;
    slots_.assign(capacity, Slot{});
  }

  /// At most `count` pairs may be put in; a pair put in again takes the later merge.
  void put(std::int32_t left, std::int32_t right, Merge merge) {
    const std::uint64_t key = pair_key(left, right);
    slots_[place(key)] = {key, merge};
  }
  Merge find(std::int32_t left, std::int32_t right) const { return slots_[place(pair_key(left, right))].merge; }

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = kNone;
    Merge merge;
  };

  std::size_t place(std::uint64_t key) const {
    std::size_t at = mix_bits(key * 0x9E3779B97F4A7C15) & (slots_.size() - 1);
    while (slots_[at].key != key && slots_[at].key != kNone) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  std::vector<Slot> slots_;
};

}  // namespace hone
