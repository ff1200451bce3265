#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

struct ChrfOptions {
  std::size_t character_order = 6;
  std::size_t word_order = 0;  ///< 2: chrF++
  double beta = 2;             ///< recall weighs β² times as much as precision
  bool lowercase = false;
  bool keep_white_space = false;
  /// Averages the F of every order, an empty one counting as ε (chrF++.py, NLTK, Moses), instead of precision and
  /// recall over the orders that both texts have.
  bool epsilon_smoothing = false;

  /// "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no" as sacrebleu writes it; 0 references: they vary.
  std::string signature(std::int64_t references) const;
};

/// The counts behind chrF (Popović 2015), of one text or summed over a corpus; per order, characters before words.
struct ChrfCounts {
  std::vector<std::int64_t> text;  ///< n-grams of the text, 0 for an order that the reference lacks
  std::vector<std::int64_t> reference;
  std::vector<std::int64_t> common;

  ChrfCounts& operator+=(const ChrfCounts& other);
};

/// Against the reference with the best F, the first of several. At least one reference.
ChrfCounts chrf_counts(std::string_view text, std::span<const std::string> references, const ChrfOptions& options);

/// 0 … 1:  (1 + β²)·P·R / (β²·P + R) with P and R the mean precision and recall over orders.
double chrf(const ChrfCounts& counts, const ChrfOptions& options);

}  // namespace hone
