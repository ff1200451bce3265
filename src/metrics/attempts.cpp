#include "metrics/attempts.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "metrics/ngram_counts.h"
#include "metrics/words.h"

namespace hone {

double pass_at_k(std::int64_t attempts, std::int64_t right, std::int64_t k) {
  HONE_ASSERT(k >= 1 && k <= attempts && right >= 0 && right <= attempts);
  if (attempts - right < k) return 1;
  double none = 1;
  for (std::int64_t i = attempts - right + 1; i <= attempts; ++i) {
    none *= 1 - static_cast<double>(k) / static_cast<double>(i);
  }
  return 1 - none;
}

std::size_t majority(std::span<const std::string> answers) {
  HONE_ASSERT(!answers.empty());
  std::unordered_map<std::string_view, std::size_t> votes;
  std::size_t most = 0;
  for (const std::string& answer : answers) {
    if (!answer.empty()) most = std::max(most, ++votes[answer]);
  }
  for (std::size_t i = 0; most > 0 && i < answers.size(); ++i) {
    if (!answers[i].empty() && votes[answers[i]] == most) return i;
  }
  return 0;
}

double Judgements::win_rate() const {
  const std::int64_t all = wins + ties + losses;
  if (all == 0) return 0.5;
  return (static_cast<double>(wins) + 0.5 * static_cast<double>(ties)) / static_cast<double>(all);
}

double distinct_n(std::span<const std::string> texts, std::size_t n) {
  std::unordered_set<std::string> distinct;
  std::int64_t total = 0;
  for (const std::string& text : texts) {
    for (std::string& ngram : word_ngrams(plain_words(text), n)) {
      distinct.insert(std::move(ngram));
      ++total;
    }
  }
  return total > 0 ? static_cast<double>(distinct.size()) / static_cast<double>(total) : 0;
}

}  // namespace hone
