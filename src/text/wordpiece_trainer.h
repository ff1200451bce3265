#pragma once

#include "text/word_counts.h"

#include <optional>
#include <string>
#include <vector>

namespace hone {

struct WordPieceTrainerOptions {
  std::int32_t vocab_size = 30000;             ///< everything counted
  std::vector<std::string> special_tokens;     ///< ids 0, 1, …
  std::int64_t min_frequency = 1;              ///< pairs that are rarer do not merge
  std::optional<std::int32_t> limit_alphabet;  ///< how many different characters are kept, the most frequent ones
  std::u32string initial_alphabet;             ///< characters that are kept even when no text has them
  std::string continuing_prefix = "##";        ///< of tokens that do not open a word
};

/// Trains a WordPiece vocabulary as the tokenizers library does: by BPE over characters, where those behind the first
/// carry the prefix. `words` are pieces of text as the model will see them, valid UTF-8.
///
/// Tokens by id: special ones, characters by code point, characters with the prefix in the order in which words bring
/// them, then merged ones by rank. (The library's order of the third group is chance, and with it which of equally
/// frequent pairs comes first.) Fewer than vocab_size when the words have no more pairs. Error{config} for options that
/// contradict each other; Error{data} when there are no words.
std::vector<std::string> train_wordpiece(const WordCounts& words, const WordPieceTrainerOptions& options);

}  // namespace hone
