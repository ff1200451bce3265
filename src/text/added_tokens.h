#pragma once

#include "text/bpe_spec.h"

#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace hone {

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

 private:
  std::vector<AddedToken> tokens_;                      ///< longer ones first
  std::array<std::vector<std::size_t>, 256> by_first_;  ///< indices of tokens_ by first byte
};

}  // namespace hone
