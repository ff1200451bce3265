#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

inline std::uint64_t mix_bits(std::uint64_t value) {
  value ^= value >> 32;
  value *= 0xD6E8FEB86659FD93;  // an odd constant that spreads every bit (Lea's mixer)
  return value ^ value >> 32;
}

/// A hash of a few bytes; of no use against an adversary.
inline std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t hash = bytes.size();
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    hash = mix_bits(hash ^ word);
    bytes.remove_prefix(8);
  }
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), bytes.size());
  return mix_bits(hash ^ word) * 0x9E3779B97F4A7C15;
}

/// Token bytes to token id: open addressing over tokens that somebody else keeps.
class ByteMap {
 public:
  /// Maps tokens[i] to i, empty ones left out. `tokens` must outlive the map and stay as it is.
  explicit ByteMap(const std::vector<std::string>& tokens) : tokens_(&tokens) {
    std::size_t capacity = 16;
    while (capacity < 2 * tokens.size()) capacity *= 2;
    slots_.assign(capacity, Slot{});
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].empty()) continue;
      const std::uint64_t hash = hash_bytes(tokens[i]);
      Slot* slot = &slots_[hash & (capacity - 1)];
      while (slot->id >= 0) slot = slot == &slots_.back() ? slots_.data() : slot + 1;
      *slot = {static_cast<std::uint32_t>(hash >> 32), static_cast<std::int32_t>(i)};
    }
  }

  /// -1 when no token has these bytes.
  std::int32_t find(std::string_view bytes) const {
    const std::uint64_t hash = hash_bytes(bytes);
    for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.id < 0) return -1;
      if (slot.tag == hash >> 32 && (*tokens_)[static_cast<std::size_t>(slot.id)] == bytes) return slot.id;
    }
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::int32_t id = -1;
  };
  const std::vector<std::string>* tokens_;
  std::vector<Slot> slots_;
};

}  // namespace hone
