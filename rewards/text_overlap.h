#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// Words as sacrebleu's tokenizer 13a splits them (that of the WMT 2013 evaluation): punctuation is a word of its own,
/// but not a full stop or comma between digits.
std::vector<std::string> words_13a(std::string_view text);
/// What stands between white space.
std::vector<std::string> plain_words(std::string_view text);
/// Words as rouge_score's tokenizer splits them without its stemmer: runs of ASCII letters and digits, in lower case.
std::vector<std::string> rouge_words(std::string_view text);

/// The counts behind BLEU (Papineni et al. 2002), of one text or summed over a corpus.
struct BleuCounts {
  std::vector<std::int64_t> common;  ///< n-grams that also stand in a reference, each at most as often as there
  std::vector<std::int64_t> total;   ///< n-grams of the text; entry 0 counts words
  std::int64_t length = 0;
  std::int64_t reference_length = 0;  ///< of the reference nearest in length, the shorter of two as near

  BleuCounts& operator+=(const BleuCounts& other);
};

using Words = std::vector<std::string>;

BleuCounts bleu_counts(const Words& text, std::span<const Words> references, std::size_t order = 4);

/// 0 … 1:  min(1, e^(1 − reference_length / length)) · (Π p_n)^(1/N),  p_n = common_n / total_n
///
/// A p_n without common n-grams counts as 1/(2·total_n), the next such as 1/(4·total_n) and so on (exponential
/// smoothing); without any common word the value is 0. With `effective_order` N is the longest n-gram that the text
/// has.
double bleu(const BleuCounts& counts, bool effective_order);

struct Overlap {
  double precision = 0;
  double recall = 0;
  double f() const { return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0; }
};

/// ROUGE-n (Lin 2004): common n-grams, as shares of those of the text and of the reference.
Overlap rouge_n(const Words& text, const Words& reference, std::size_t n);
/// ROUGE-L: the longest common subsequence of words.
Overlap rouge_l(const Words& text, const Words& reference);

}  // namespace hone
