#pragma once

#include <cstdint>
#include <vector>

#include "text/constraint/byte_dfa.h"
#include "text/constraint/token_trie.h"

namespace hone {

/// Calls `visit(state, first, last)` for each node of the tree that the automaton reaches alive from `start` and at which
/// tokens end: ids()[first … last) lead to `state`.
template <class Visit>
void walk_trie(const ByteDfa& dfa, const TokenTrie& trie, std::int32_t start, const Visit& visit) {
  std::vector<std::int32_t> state_at(trie.longest() + 1);  // by depth
  state_at[0] = start;
  const TokenTrie::Node* const nodes = trie.nodes().data();
  const std::size_t count = trie.nodes().size() - 1;
  for (std::size_t i = 0; i < count;) {
    const TokenTrie::Node& node = nodes[i];
    const std::int32_t state = dfa.step(state_at[node.depth - 1u], node.byte);
    if (state == ByteDfa::kDead) {
      i = static_cast<std::size_t>(node.end);
      continue;
    }
    state_at[node.depth] = state;
    ++i;
    if (node.first_id != nodes[i].first_id) visit(state, node.first_id, nodes[i].first_id);
  }
}

}  // namespace hone
