#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/words.h"

namespace hone {

/// What stands for a precision without common n-grams (Chen and Cherry 2014); the names are sacrebleu's.
enum class BleuSmoothing {
  exponential,  ///< 1/(2·total), the next such 1/(4·total) and so on
  floor,        ///< value/total
  add_k,        ///< value is added to common and total of every order but the first
  none,
};
inline constexpr std::array<std::string_view, 4> bleu_smoothing_names{"exp", "floor", "add-k", "none"};

struct BleuOptions {
  WordSplit split = WordSplit::by_13a;
  bool lowercase = false;
  std::size_t order = 4;
  BleuSmoothing smoothing = BleuSmoothing::exponential;
  double smoothing_value = 0.1;  ///< of floor and add_k; sacrebleu's defaults are 0.1 and 1
  /// N is the longest n-gram that the text has; for single sentences.
  bool effective_order = false;

  Words words(std::string_view text) const;
  /// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp" as sacrebleu writes it; 0 references: they vary ("nrefs:var").
  std::string signature(std::int64_t references) const;
};

/// The counts behind BLEU (Papineni et al. 2002), of one text or summed over a corpus.
struct BleuCounts {
  std::vector<std::int64_t> common;  ///< n-grams that also stand in a reference, each at most as often as there
  std::vector<std::int64_t> total;   ///< n-grams of the text; entry 0 counts words
  std::int64_t length = 0;
  std::int64_t reference_length = 0;  ///< of the reference nearest in length, the shorter of two as near

  BleuCounts& operator+=(const BleuCounts& other);
};

BleuCounts bleu_counts(const Words& text, std::span<const Words> references, std::size_t order = 4);

/// 0 … 1:  min(1, e^(1 − reference_length / length)) · (Π p_n)^(1/N),  p_n = common_n / total_n
///
/// Without any common word the value is 0.
double bleu(const BleuCounts& counts, const BleuOptions& options);

}  // namespace hone
