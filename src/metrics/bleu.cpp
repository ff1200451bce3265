#include "metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "metrics/ngram_counts.h"

namespace hone {

Words BleuOptions::words(std::string_view text) const {
  return lowercase ? split_words(split, lower_text(text)) : split_words(split, text);
}

std::string BleuOptions::signature(std::int64_t references) const {
  std::string smooth(bleu_smoothing_names[static_cast<std::size_t>(smoothing)]);
  if (smoothing == BleuSmoothing::floor || smoothing == BleuSmoothing::add_k) {
    smooth += fmt::format("[{:.2f}]", smoothing_value);
  }
  return fmt::format("nrefs:{}|case:{}|eff:{}|tok:{}|smooth:{}", references > 0 ? std::to_string(references) : "var",
                     lowercase ? "lc" : "mixed", effective_order ? "yes" : "no",
                     word_split_names[static_cast<std::size_t>(split)], smooth);
}

BleuCounts& BleuCounts::operator+=(const BleuCounts& other) {
  common.resize(std::max(common.size(), other.common.size()));
  total.resize(common.size());
  for (std::size_t i = 0; i < other.common.size(); ++i) {
    common[i] += other.common[i];
    total[i] += other.total[i];
  }
  length += other.length;
  reference_length += other.reference_length;
  return *this;
}

BleuCounts bleu_counts(const Words& text, std::span<const Words> references, std::size_t order) {
  BleuCounts counts;
  counts.length = static_cast<std::int64_t>(text.size());
  for (std::size_t n = 1; n <= order; ++n) {
    NgramCounts<std::string> most;
    for (const Words& reference : references) {
      for (const auto& [ngram, count] : count_word_ngrams(reference, n)) most[ngram] = std::max(most[ngram], count);
    }
    counts.common.push_back(common_count(count_word_ngrams(text, n), most));
    counts.total.push_back(ngram_total(text.size(), n));
  }
  std::int64_t nearest = -1;
  for (const Words& reference : references) {
    const auto length = static_cast<std::int64_t>(reference.size());
    const std::int64_t distance = std::abs(length - counts.length);
    if (nearest < 0 || distance < nearest || (distance == nearest && length < counts.reference_length)) {
      nearest = distance;
      counts.reference_length = length;
    }
  }
  return counts;
}

double bleu(const BleuCounts& counts, const BleuOptions& options) {
  if (std::ranges::all_of(counts.common, [](std::int64_t count) { return count == 0; })) return 0;
  double log_sum = 0;
  double halving = 1;
  std::size_t order = 0;
  for (; order < counts.total.size(); ++order) {
    const double added = options.smoothing == BleuSmoothing::add_k && order > 0 ? options.smoothing_value : 0;
    const double total = static_cast<double>(counts.total[order]) + added;
    if (total == 0) break;
    double common = static_cast<double>(counts.common[order]) + added;
    if (common == 0) {
      if (options.smoothing == BleuSmoothing::exponential) common = 1 / (halving *= 2);
      if (options.smoothing == BleuSmoothing::floor) common = options.smoothing_value;
    }
    if (common == 0) return 0;
    log_sum += std::log(common / total);
  }
  if (!options.effective_order && order < counts.total.size()) return 0;  // an order without n-grams has precision 0
  const double ratio = static_cast<double>(counts.reference_length) / static_cast<double>(counts.length);
  return std::min(1.0, std::exp(1 - ratio)) * std::exp(log_sum / static_cast<double>(order));
}

}  // namespace hone
