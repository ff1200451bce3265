#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/constraint/byte_nfa.h"

namespace hone {

/// A deterministic automaton over bytes. From each of its states a match can be reached.
struct ByteDfa {
  static constexpr std::int32_t kDead = -1;

  std::array<std::uint8_t, 256> byte_class{};  ///< bytes that no state tells apart
  std::int32_t classes = 0;
  std::vector<std::int32_t> next;     ///< state · classes + class → state or kDead
  std::vector<std::uint8_t> accepts;  ///< state → whether a match may end here
  std::int32_t start = 0;

  std::int32_t states() const { return static_cast<std::int32_t>(accepts.size()); }
  std::int32_t step(std::int32_t state, std::uint8_t byte) const {
    return next[static_cast<std::size_t>(state) * static_cast<std::size_t>(classes) + byte_class[byte]];
  }
  /// After all bytes, or kDead.
  std::int32_t run(std::int32_t state, std::string_view bytes) const;
};

/// The subset construction, without the states from which no match can be reached. Error{config} when nothing matches,
/// or beyond 65,536 states (alternatives that are told apart only much later have exponentially many).
ByteDfa build_dfa(const ByteNfa& nfa);

}  // namespace hone
