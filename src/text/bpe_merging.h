#pragma once

#include "text/word_counts.h"

#include <string>
#include <utility>
#include <vector>

namespace hone {

/// Counted words as sequences of symbols.
struct SymbolWords {
  struct Word {
    std::size_t begin = 0;  ///< in `symbols`
    std::uint32_t size = 0;
    std::int64_t count = 0;
  };
  std::vector<std::string> tokens;  ///< of each symbol, by id
  std::vector<std::int32_t> symbols;
  std::vector<Word> words;
};

/// Which of equally frequent pairs is merged first.
enum class MergeTies {
  lower_ids,      ///< the one whose first, then second token has the lower id, as in the tokenizers library
  greater_bytes,  ///< the one whose first, then second token has the greater bytes
};

struct MergeRules {
  std::size_t token_count = 0;  ///< stops when there are so many tokens
  std::int64_t min_count = 1;   ///< of a pair; at least 1
  MergeTies ties = MergeTies::lower_ids;
  std::string continuing_prefix;  ///< "##": a second part drops it when it is joined
};

struct LearnedMerges {
  std::vector<std::string> tokens;                            ///< those of the words, then merged ones by rank
  std::vector<std::pair<std::int32_t, std::int32_t>> merges;  ///< by rank; a result may be there already
};

/// Joins the most frequent pair of neighbours, again and again (Sennrich et al. 2016). Pair counts are kept up to
/// date: a merge costs the words that hold its pair, not all of them.
LearnedMerges learn_merges(SymbolWords words, const MergeRules& rules);

}  // namespace hone
