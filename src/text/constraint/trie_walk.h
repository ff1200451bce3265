#pragma once

#include <cstdint>
#include <vector>

#include "text/constraint/byte_dfa.h"
#include "text/constraint/token_trie.h"

namespace hone {

/// Calls `visit(state, id)` for each node of the tree to which the automaton leads from `start`; `id` is the token that
/// ends there, or vocab_size. That there is a call for every node saves a branch that no CPU can predict.
template <class Visit>
void walk_trie(const ByteDfa& dfa, const TokenTrie& trie, std::int32_t start, const Visit& visit) {
  std::vector<std::int32_t> state_at(trie.longest() + 1);  // by depth
  state_at[0] = start;
  const TokenTrie::Node* const nodes = trie.nodes().data();
  const std::size_t count = trie.nodes().size();
  for (std::size_t i = 0; i < count;) {
    const TokenTrie::Node& node = nodes[i];
    const std::int32_t state = dfa.step(state_at[node.depth - 1u], node.byte);
    if (state == ByteDfa::kDead) {
      i = static_cast<std::size_t>(node.end);
      continue;
    }
    state_at[node.depth] = state;
    visit(state, node.id);
    ++i;
  }
}

}  // namespace hone
