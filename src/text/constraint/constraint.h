#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/constraint/byte_dfa.h"
#include "text/constraint/token_trie.h"

namespace hone {

/// Which tokens may come next so that the text of a completion matches a regular expression as a whole. The text is the
/// bytes of the tokens one behind the other, so a token may begin or end within a character.
///
///     start() (allowed(state) → draw one of them → state = advance(state, id))* until the state is kEnded or finished
///
/// No dead ends: a token is allowed only if tokens of the vocabulary lead on from it to a match. Immutable but for the
/// cache of masks, which is guarded: any number of threads may use one constraint, each with states of its own.
class Constraint {
 public:
  static constexpr std::int32_t kEnded = -1;    ///< an end token was taken after a match
  static constexpr std::int32_t kRefused = -2;  ///< the token was not allowed

  /// The syntax is that of parse_regex. Error{config} for what it refuses, for a pattern that matches nothing, that no
  /// tokens of the vocabulary can spell, or that is too large (build_nfa, build_dfa).
  static std::shared_ptr<const Constraint> regex(std::string_view pattern, std::shared_ptr<const TokenTrie> trie);
  /// One of the texts, none of which is read as a pattern. Error{config} for an empty list or broken UTF-8.
  static std::shared_ptr<const Constraint> choices(std::span<const std::string> texts,
                                                   std::shared_ptr<const TokenTrie> trie);

  std::int32_t start() const { return dfa_.start; }
  std::int32_t states() const { return dfa_.states(); }

  /// Bit id % 64 of word id / 64 says whether the token is allowed; vocab_size bits, the rest 0. The ids that end a
  /// completion are allowed where `accepting`. All zero only where the state is finished and the trie has no end ids.
  /// Valid as long as the constraint. state ≥ 0.
  std::span<const std::uint64_t> allowed(std::int32_t state) const { return mask(state).bits; }
  /// Whether a match may end here. state ≥ 0.
  bool accepting(std::int32_t state) const { return dfa_.accepts[static_cast<std::size_t>(state)] != 0; }
  /// Whether the match must end here: no token but one that ends the completion is allowed. state ≥ 0.
  bool finished(std::int32_t state) const { return !mask(state).continues; }
  /// The state after a token: ≥ 0, kEnded or kRefused. state ≥ 0; any id.
  std::int32_t advance(std::int32_t state, std::int32_t id) const;

 private:
  struct Mask {
    std::vector<std::uint64_t> bits;
    bool continues = false;
  };

  Constraint(const RegexNode& root, std::shared_ptr<const TokenTrie> trie);
  const Mask& mask(std::int32_t state) const;
  Mask compute(std::int32_t state) const;
  const Mask& keep(Mask mask, std::int32_t state) const;

  ByteDfa dfa_;
  std::shared_ptr<const TokenTrie> trie_;
  std::vector<std::uint8_t> productive_;                ///< state → whether tokens lead from it to a match
  std::unique_ptr<std::atomic<const Mask*>[]> cached_;  ///< by state
  mutable std::mutex mutex_;
  mutable std::unordered_multimap<std::uint64_t, std::unique_ptr<const Mask>> masks_;  ///< by hash: states share them
};

}  // namespace hone
