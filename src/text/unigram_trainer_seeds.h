#pragma once

#include "text/word_counts.h"

#include <cstdint>
#include <vector>

namespace hone {

/// Counted words as one sequence of character codes, each word followed by a 0. Codes keep the order of code points.
struct TrainingText {
  explicit TrainingText(const WordCounts& words);

  std::vector<char32_t> alphabet;  ///< the character of each code; of 0, none
  std::vector<std::uint32_t> codes;
  std::vector<std::uint32_t> begin;  ///< of each word, and one more for the end
  std::vector<std::int64_t> count;   ///< of each word

  /// The characters [at, at + length) as UTF-8.
  std::string spell(std::uint32_t at, std::uint32_t length) const;
};

/// A substring of the words. Its occurrences are order[first, last) of UnigramSeeds.
struct SeedPiece {
  std::uint32_t at = 0;      ///< an occurrence
  std::uint32_t length = 0;  ///< in characters
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::int64_t weight = 0;  ///< of a character its count in the texts, else occurrences in different words × length
};

/// What a Unigram vocabulary is chosen from: every character, then the substrings of two characters or more that occur
/// at least twice and are followed by different characters (the inner nodes of the suffix tree), the heaviest first.
struct UnigramSeeds {
  std::vector<SeedPiece> pieces;
  std::vector<std::uint32_t> order;  ///< places in the text, sorted by what follows there
};

/// At most `limit` pieces of at most `max_length` characters; of equally heavy ones the lexically greatest.
UnigramSeeds find_seeds(const TrainingText& text, std::uint32_t max_length, std::size_t limit);

}  // namespace hone
