#include "metrics/chrf.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"
#include "metrics/ngram_counts.h"
#include "metrics/words.h"
#include "text/code_points.h"

namespace hone {

namespace {

bool is_ascii_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/// Words with one mark cut off: that at the end, else that at the start.
Words words_and_marks(std::string_view text) {
  Words words;
  for (const std::string& word : plain_words(text)) {
    if (utf8_length(word) == 1) {
      words.push_back(word);
    } else if (is_ascii_punctuation(word.back())) {
      words.push_back(word.substr(0, word.size() - 1));
      words.emplace_back(1, word.back());
    } else if (is_ascii_punctuation(word.front())) {
      words.emplace_back(1, word.front());
      words.push_back(word.substr(1));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

/// A text cut into n-grams; keys of character n-grams point into it.
class CutText {
 public:
  CutText(std::string_view original, const ChrfOptions& options) : options_(options) {
    const std::string cased = options.lowercase ? lower_text(original) : std::string(original);
    if (options.keep_white_space) {
      text_ = cased;
    } else {
      for (const std::string& word : plain_words(cased)) text_ += word;
    }
    for (std::size_t at = 0; at < text_.size(); next_code_point(text_, at)) starts_.push_back(at);
    starts_.push_back(text_.size());
    if (options.word_order > 0) words_ = words_and_marks(cased);
    count();
  }
  CutText(const CutText&) = delete;
  CutText& operator=(const CutText&) = delete;

  ChrfCounts against(const CutText& reference) const {
    ChrfCounts counts;
    const auto add = [&](const auto& mine, const auto& other, std::int64_t total, std::int64_t other_total) {
      counts.text.push_back(other_total > 0 ? total : 0);
      counts.reference.push_back(other_total);
      counts.common.push_back(common_count(mine, other));
    };
    for (std::size_t n = 1; n <= characters_.size(); ++n) {
      add(characters_[n - 1], reference.characters_[n - 1], ngram_total(starts_.size() - 1, n),
          ngram_total(reference.starts_.size() - 1, n));
    }
    for (std::size_t n = 1; n <= by_words_.size(); ++n) {
      add(by_words_[n - 1], reference.by_words_[n - 1], ngram_total(words_.size(), n),
          ngram_total(reference.words_.size(), n));
    }
    return counts;
  }

 private:
  void count() {
    for (std::size_t n = 1; n <= options_.character_order; ++n) {
      NgramCounts<std::string_view>& counts = characters_.emplace_back();
      for (std::size_t i = 0; i + n < starts_.size(); ++i) {
        ++counts[std::string_view(text_).substr(starts_[i], starts_[i + n] - starts_[i])];
      }
    }
    for (std::size_t n = 1; n <= options_.word_order; ++n) by_words_.push_back(count_word_ngrams(words_, n));
  }

  const ChrfOptions& options_;
  std::string text_;
  std::vector<std::size_t> starts_;  ///< of code points, and the end
  Words words_;
  std::vector<NgramCounts<std::string_view>> characters_;
  std::vector<NgramCounts<std::string>> by_words_;
};

void add(std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from) {
  to.resize(std::max(to.size(), from.size()));
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

}  // namespace

std::string ChrfOptions::signature(std::int64_t references) const {
  return fmt::format("nrefs:{}|case:{}|eff:{}|nc:{}|nw:{}|space:{}",
                     references > 0 ? std::to_string(references) : "var", lowercase ? "lc" : "mixed",
                     epsilon_smoothing ? "no" : "yes", character_order, word_order, keep_white_space ? "yes" : "no");
}

ChrfCounts& ChrfCounts::operator+=(const ChrfCounts& other) {
  add(text, other.text);
  add(reference, other.reference);
  add(common, other.common);
  return *this;
}

ChrfCounts chrf_counts(std::string_view text, std::span<const std::string> references, const ChrfOptions& options) {
  HONE_ASSERT(!references.empty());
  const CutText cut(text, options);
  ChrfCounts best;
  double best_value = -1;
  for (const std::string& reference : references) {
    ChrfCounts counts = cut.against(CutText(reference, options));
    const double value = chrf(counts, options);
    if (value <= best_value) continue;
    best_value = value;
    best = std::move(counts);
  }
  return best;
}

double chrf(const ChrfCounts& counts, const ChrfOptions& options) {
  constexpr double epsilon = 1e-16;
  const double factor = options.beta * options.beta;
  double precision_sum = 0, recall_sum = 0, smoothed = 0;
  int orders = 0;
  for (std::size_t i = 0; i < counts.common.size(); ++i) {
    const auto common = static_cast<double>(counts.common[i]);
    const double precision = counts.text[i] > 0 ? common / static_cast<double>(counts.text[i]) : epsilon;
    const double recall = counts.reference[i] > 0 ? common / static_cast<double>(counts.reference[i]) : epsilon;
    const double weighted = factor * precision + recall;
    smoothed += weighted > 0 ? (1 + factor) * precision * recall / weighted : epsilon;
    if (counts.text[i] == 0 || counts.reference[i] == 0) continue;
    precision_sum += precision;
    recall_sum += recall;
    ++orders;
  }
  if (options.epsilon_smoothing) return smoothed / static_cast<double>(options.character_order + options.word_order);
  if (precision_sum + recall_sum == 0) return 0;
  const double precision = precision_sum / orders, recall = recall_sum / orders;
  return (1 + factor) * precision * recall / (factor * precision + recall);
}

}  // namespace hone
