#include "metrics/answers.h"

#include <algorithm>

#include "metrics/ngram_counts.h"
#include "metrics/words.h"
#include "text/code_points.h"
#include "text/unicode_classes.h"

namespace hone {

namespace {

bool is_ascii_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

bool is_word_character(char32_t point) {
  const CharClass found = char_class(point);
  return found.is_letter() || found.is_number();
}

/// Runs of letters and numbers that are an article become a space.
std::string without_articles(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at, end = at;
    while (at < text.size() && is_word_character(next_code_point(text, at))) end = at;
    const std::string_view run = text.substr(begin, end - begin);
    run == "a" || run == "an" || run == "the" ? out.append(" ") : out.append(run);
    out.append(text.substr(end, at - end));
  }
  return out;
}

Words answer_words(std::string_view text) {
  std::string kept = lower_text(text);
  std::erase_if(kept, is_ascii_punctuation);
  return plain_words(without_articles(kept));
}

}  // namespace

std::string normalized_answer(std::string_view text) {
  std::string joined;
  for (const std::string& word : answer_words(text)) joined.append(joined.empty() ? "" : " ").append(word);
  return joined;
}

AnswerScore answer_score(std::string_view text, std::string_view reference) {
  const Words words = answer_words(text), expected = answer_words(reference);
  AnswerScore score{.exact = words == expected ? 1.0 : 0.0};
  if (words.empty() || expected.empty()) {
    score.f1 = score.exact;
    return score;
  }
  const auto common =
      static_cast<double>(common_count(count_word_ngrams(words, 1), count_word_ngrams(expected, 1)));
  score.f1 = 2 * common / static_cast<double>(words.size() + expected.size());
  return score;
}

AnswerScore answer_score(std::string_view text, std::span<const std::string> references) {
  if (references.empty()) return answer_score(text, std::string_view());
  AnswerScore best;
  for (const std::string& reference : references) {
    const AnswerScore score = answer_score(text, reference);
    best.exact = std::max(best.exact, score.exact);
    best.f1 = std::max(best.f1, score.f1);
  }
  return best;
}

}  // namespace hone
