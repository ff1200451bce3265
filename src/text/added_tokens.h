#pragma once

#include "text/aligned_text.h"
#include "text/bpe_spec.h"

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace hone {

class Normalizer;

/// Those that are looked for in the text as the user wrote it.
std::vector<AddedToken> matched_in_original(const std::vector<AddedToken>& added);
/// Those that are looked for in normalized text, spelled as the normalizer (null: none) leaves them.
std::vector<AddedToken> matched_in_normalized(const std::vector<AddedToken>& added, const Normalizer* normalizer);

/// Finds added tokens in text: leftmost first, of several at one place the longest.
class AddedTokenMatcher {
 public:
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

  struct Match {
    std::size_t begin = 0;  ///< white space that the token swallows included
    std::size_t end = 0;
    std::int32_t id = 0;
  };
  /// The first match that begins at or after `from`; white space before `from` is not swallowed.
  std::optional<Match> find(std::string_view text, std::size_t from) const;

  struct Rules {
    bool special = true;                  ///< special tokens count too; else their spelling is text
    std::span<const TextRange> untrusted;  ///< no match shares a byte with these ascending, disjoint ranges
  };
  /// Every match from left to right. The matches are disjoint, but one that swallows white space may take it from a
  /// token that is white space itself.
  std::vector<Match> find_all(std::string_view text, const Rules& rules) const;

  bool empty() const { return tokens_.empty(); }

 private:
  struct Node {
    std::vector<std::pair<unsigned char, std::size_t>> children;
    std::size_t token = kNone;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::size_t child(std::size_t node, char byte) const;
  std::size_t longest(std::string_view text, std::size_t at, std::size_t bound) const;
  bool extend(std::string_view text, const AddedToken& token, std::size_t done, Match& match) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;               ///< a trie of the tokens; [0] is its root
  std::array<std::size_t, 256> roots_{};  ///< children of the root
};

}  // namespace hone
