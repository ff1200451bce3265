#pragma once

#include "base/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hone {

/// A token that is matched in the text itself, before the vocabulary sees it.
struct AddedToken {
  std::int32_t id = 0;
  std::string text;
  bool special = true;   ///< matched only where the caller asks, and left out by SkipSpecial::yes
  bool lstrip = false;   ///< swallows the white space before it
  bool rstrip = false;   ///< swallows the white space after it
  bool normalized = false;   ///< matched in normalized text, and normalized itself
  bool single_word = false;  ///< matched only where no word character is beside it
};

/// Everything that defines a byte-level BPE tokenizer: what tokenizer.json and tokenizer_config.json say.
struct BpeSpec {
  std::vector<std::string> tokens;  ///< bytes of token i; empty: id i is unused or an added token
  std::vector<std::pair<std::int32_t, std::int32_t>> merges;  ///< by rank; the merged bytes must be a token
  std::vector<AddedToken> added;
  /// Split patterns, applied one after the other: each match and each stretch between matches is a piece.
  std::vector<std::string> splits;
  bool byte_level_split = true;   ///< then split by GPT-2's pattern
  bool add_prefix_space = false;  ///< a piece that does not open with a space gets one
  bool nfc = false;               ///< Unicode normalisation form C first
  bool ignore_merges = false;     ///< a piece that is a token stays whole, whatever the merges say
  std::vector<std::int32_t> prefix;  ///< ids that AddSpecial::yes puts first
  std::vector<std::int32_t> suffix;  ///< ids that AddSpecial::yes puts last
  std::optional<std::string> bos;
  std::optional<std::string> eos;
  std::optional<std::string> pad;
  Json config;  ///< tokenizer_config.json as read (chat template and the like), written back; null: none
};

}  // namespace hone
