#pragma once

#include <cstdint>
#include <vector>

#include "text/constraint/byte_dfa.h"
#include "text/constraint/token_trie.h"

namespace hone {

/// For each state: whether some sequence of tokens leads from it to an accepting state. A vocabulary without all bytes
/// as tokens of their own may have none although some bytes do.
std::vector<std::uint8_t> productive_states(const ByteDfa& dfa, const TokenTrie& trie);

}  // namespace hone
