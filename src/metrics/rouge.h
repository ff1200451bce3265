#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "metrics/words.h"

namespace hone {

struct Overlap {
  double precision = 0;
  double recall = 0;
  double f() const { return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0; }
};

/// ROUGE-n (Lin 2004): common n-grams, as shares of those of the text and of the reference.
Overlap rouge_n(const Words& text, const Words& reference, std::size_t n);
/// ROUGE-L: the longest common subsequence of words.
Overlap rouge_l(const Words& text, const Words& reference);
/// ROUGE-L of summaries: for each sentence of the reference the union of its longest common subsequences with every
/// sentence of the text; no word counts more often than it occurs on either side.
Overlap rouge_l_sum(std::span<const Words> text, std::span<const Words> reference);

enum class RougeKind { rouge1, rouge2, rouge_l, rouge_l_sum };
inline constexpr std::array<std::string_view, 4> rouge_names{"rouge1", "rouge2", "rougeL", "rougeLsum"};

/// As rouge_score: words by rouge_words, sentences of ROUGE-Lsum by lines.
Overlap rouge(RougeKind kind, std::string_view text, std::string_view reference, bool stem = false);
/// The one with the best F among several references; all 0 without references.
Overlap rouge(RougeKind kind, std::string_view text, std::span<const std::string> references, bool stem = false);

}  // namespace hone
