#pragma once

#include "text/word_counts.h"

#include <utility>

namespace hone {

/// The merges that byte-level BPE learns from counted words.
struct LearnedMerges {
  std::vector<std::string> tokens;  ///< bytes of each: the 256 bytes by value, then merged ones by rank
  std::vector<std::pair<std::int32_t, std::int32_t>> merges;  ///< by rank; a result may be there already
};

/// Merges until there are `token_count` tokens (≥ 256) or no pair is left. Pair counts are kept up to date: a merge
/// costs the words that hold its pair, not the corpus.
LearnedMerges learn_merges(const WordCounts& words, std::size_t token_count);

}  // namespace hone
