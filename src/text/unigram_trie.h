#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hone {

/// Strings of bytes to their index, made for finding every string that a text opens with: a double array (Aoe 1989)
/// with one unit a node. A step is one load and one comparison.
class UnigramTrie {
 public:
  /// Maps each keys[i] to i. Empty keys are left out; of equal keys the last one counts.
  explicit UnigramTrie(std::span<const std::string_view> keys);

  /// Calls visit(length, index) for each key that `text` opens with, the shortest first.
  template <class Visit>
  void prefixes(std::string_view text, const Visit& visit) const {
    std::uint32_t node = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::uint32_t next = units_[node].base ^ static_cast<unsigned char>(text[i]);
      if (units_[next].parent != node) return;
      node = next;
      if (units_[node].value >= 0) visit(i + 1, units_[node].value);
    }
  }

  /// -1 when there is no such key.
  std::int32_t find(std::string_view key) const;

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;
  /// The child of node n by byte b is at units_[n].base ^ b, if that unit's parent is n. A block of 256 aligned units
  /// holds all children of a node, so a step never leaves the array.
  struct Unit {
    std::uint32_t base = 0;
    std::uint32_t parent = kFree;
    std::int32_t value = -1;
  };

  class Builder;
  std::vector<Unit> units_;
};

}  // namespace hone
