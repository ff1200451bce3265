#include "metrics/rouge.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "metrics/ngram_counts.h"

namespace hone {

namespace {

Overlap shares(std::int64_t common, std::int64_t of_text, std::int64_t of_reference) {
  const auto share = [common](std::int64_t all) {
    return all > 0 ? static_cast<double>(common) / static_cast<double>(all) : 0.0;
  };
  return {share(of_text), share(of_reference)};
}

std::int64_t word_count(std::span<const Words> sentences) {
  std::int64_t count = 0;
  for (const Words& words : sentences) count += static_cast<std::int64_t>(words.size());
  return count;
}

std::unordered_map<std::string, std::int64_t> word_counts(std::span<const Words> sentences) {
  std::unordered_map<std::string, std::int64_t> counts;
  for (const Words& words : sentences) {
    for (const std::string& word : words) ++counts[word];
  }
  return counts;
}

/// Marks the words of `reference` that one longest common subsequence with `text` has. Of several it is the one found
/// from the end, skipping in the reference first.
void mark_common(const Words& reference, const Words& text, std::vector<bool>& marked) {
  const std::size_t rows = reference.size(), columns = text.size(), width = columns + 1;
  std::vector<std::int32_t> length((rows + 1) * width, 0);
  for (std::size_t i = 1; i <= rows; ++i) {
    for (std::size_t j = 1; j <= columns; ++j) {
      length[i * width + j] = reference[i - 1] == text[j - 1]
                                  ? length[(i - 1) * width + j - 1] + 1
                                  : std::max(length[(i - 1) * width + j], length[i * width + j - 1]);
    }
  }
  for (std::size_t i = rows, j = columns; i > 0 && j > 0;) {
    if (reference[i - 1] == text[j - 1]) {
      marked[i - 1] = true;
      --i, --j;
    } else if (length[i * width + j - 1] > length[(i - 1) * width + j]) {
      --j;
    } else {
      --i;
    }
  }
}

std::vector<Words> sentences(std::string_view text, bool stem) {
  std::vector<Words> found;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) found.push_back(rouge_words(text.substr(0, end), stem));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

}  // namespace

Overlap rouge_n(const Words& text, const Words& reference, std::size_t n) {
  return shares(common_count(count_word_ngrams(text, n), count_word_ngrams(reference, n)), ngram_total(text.size(), n),
                ngram_total(reference.size(), n));
}

Overlap rouge_l(const Words& text, const Words& reference) {
  std::vector<std::int64_t> longest(reference.size() + 1, 0);
  for (const std::string& word : text) {
    std::int64_t diagonal = 0;
    for (std::size_t j = 1; j <= reference.size(); ++j) {
      const std::int64_t above = longest[j];
      longest[j] = word == reference[j - 1] ? diagonal + 1 : std::max(above, longest[j - 1]);
      diagonal = above;
    }
  }
  return shares(longest.back(), static_cast<std::int64_t>(text.size()), static_cast<std::int64_t>(reference.size()));
}

Overlap rouge_l_sum(std::span<const Words> text, std::span<const Words> reference) {
  auto left_in_text = word_counts(text), left_in_reference = word_counts(reference);
  std::int64_t common = 0;
  for (const Words& sentence : reference) {
    std::vector<bool> marked(sentence.size(), false);
    for (const Words& other : text) mark_common(sentence, other, marked);
    for (std::size_t i = 0; i < sentence.size(); ++i) {
      if (!marked[i]) continue;
      std::int64_t& here = left_in_text[sentence[i]];
      std::int64_t& there = left_in_reference[sentence[i]];
      if (here <= 0 || there <= 0) continue;
      --here, --there, ++common;
    }
  }
  return shares(common, word_count(text), word_count(reference));
}

Overlap rouge(RougeKind kind, std::string_view text, std::string_view reference, bool stem) {
  if (kind == RougeKind::rouge_l_sum) return rouge_l_sum(sentences(text, stem), sentences(reference, stem));
  const Words words = rouge_words(text, stem), expected = rouge_words(reference, stem);
  if (kind == RougeKind::rouge_l) return rouge_l(words, expected);
  return rouge_n(words, expected, kind == RougeKind::rouge1 ? 1 : 2);
}

Overlap rouge(RougeKind kind, std::string_view text, std::span<const std::string> references, bool stem) {
  Overlap best;
  for (const std::string& reference : references) {
    const Overlap overlap = rouge(kind, text, reference, stem);
    if (overlap.f() > best.f()) best = overlap;
  }
  return best;
}

}  // namespace hone
