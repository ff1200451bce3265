#pragma once

#include "text/unigram.h"
#include "text/word_counts.h"

namespace hone {

struct UnigramTrainerOptions {
  std::int32_t vocab_size = 8000;           ///< everything counted
  std::vector<std::string> special_tokens;  ///< ids 0, 1, …
  std::string unknown = "<unk>";            ///< put first when it is not one of special_tokens
  std::u32string initial_alphabet;          ///< characters that get a token even when no text has them
  std::int32_t max_piece_length = 16;       ///< in characters
  double shrinking_factor = 0.75;           ///< what a round of pruning leaves
  std::int32_t sub_iterations = 2;          ///< of EM between prunings
  std::int64_t seed_size = 1'000'000;       ///< how many pieces EM starts with at most
};

/// Trains a Unigram vocabulary (Kudo 2018, arXiv:1804.10959) as the tokenizers library does: frequent substrings of the
/// words, EM with a sparse prior, and pruning of those whose loss costs least, until the vocabulary has its size.
/// `words` are pieces of text as the model will see them ("▁the"), valid UTF-8.
///
/// Tokens: special ones with score 0, then the others by score. Error{config} for options that contradict each other or
/// a vocab_size below the number of characters; Error{data} when there are no words.
UnigramSpec train_unigram(const WordCounts& words, const UnigramTrainerOptions& options);

}  // namespace hone
