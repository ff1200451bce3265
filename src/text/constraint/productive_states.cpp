#include "text/constraint/productive_states.h"

#include <algorithm>

#include "text/constraint/trie_walk.h"

namespace hone {
namespace {

/// Marks everything from which the marked states are reached along `sources`.
void spread(std::vector<std::uint8_t>& marked, const std::vector<std::vector<std::int32_t>>& sources) {
  std::vector<std::int32_t> open;
  for (std::size_t state = 0; state < marked.size(); ++state) {
    if (marked[state]) open.push_back(static_cast<std::int32_t>(state));
  }
  while (!open.empty()) {
    const auto state = static_cast<std::size_t>(open.back());
    open.pop_back();
    for (const std::int32_t source : sources[state]) {
      if (marked[static_cast<std::size_t>(source)]) continue;
      marked[static_cast<std::size_t>(source)] = 1;
      open.push_back(source);
    }
  }
}

/// Per class of bytes: whether one of them is a token.
std::vector<std::uint8_t> classes_with_tokens(const ByteDfa& dfa, const TokenTrie& trie) {
  std::vector<std::uint8_t> found(static_cast<std::size_t>(dfa.classes), 0);
  for (const TokenTrie::Node& node : trie.nodes()) {
    if (node.depth == 1 && node.id < trie.vocab_size()) found[dfa.byte_class[node.byte]] = 1;
  }
  return found;
}

}  // namespace

std::vector<std::uint8_t> productive_states(const ByteDfa& dfa, const TokenTrie& trie) {
  // By tokens of one byte first: with most vocabularies that settles it.
  const std::vector<std::uint8_t> has_token = classes_with_tokens(dfa, trie);
  std::vector<std::vector<std::int32_t>> sources(static_cast<std::size_t>(dfa.states()));
  for (std::int32_t state = 0; state < dfa.states(); ++state) {
    for (std::int32_t c = 0; c < dfa.classes; ++c) {
      const std::int32_t target = dfa.next[static_cast<std::size_t>(state) * static_cast<std::size_t>(dfa.classes) +
                                           static_cast<std::size_t>(c)];
      if (target >= 0 && has_token[static_cast<std::size_t>(c)])
        sources[static_cast<std::size_t>(target)].push_back(state);
    }
  }
  std::vector<std::uint8_t> productive = dfa.accepts;
  spread(productive, sources);
  if (std::find(productive.begin(), productive.end(), 0) == productive.end()) return productive;
  std::vector<std::int32_t> last_source(productive.size(), -1);
  for (std::int32_t state = 0; state < dfa.states(); ++state) {
    if (productive[static_cast<std::size_t>(state)]) continue;
    walk_trie(dfa, trie, state, [&](std::int32_t target, std::int32_t id) {
      const auto at = static_cast<std::size_t>(target);
      if (id == trie.vocab_size() || last_source[at] == state) return;
      sources[at].push_back(state);
      last_source[at] = state;
    });
  }
  spread(productive, sources);
  return productive;
}

}  // namespace hone
