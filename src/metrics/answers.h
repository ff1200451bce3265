#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hone {

/// As SQuAD's evaluation compares answers (Rajpurkar et al. 2016): lower case, without ASCII punctuation and the words
/// a, an, the, one space between words.
std::string normalized_answer(std::string_view text);

struct AnswerScore {
  double exact = 0;  ///< 1 when the normalised texts are equal
  double f1 = 0;     ///< of the common words; where one side has none, 1 if neither has
};
AnswerScore answer_score(std::string_view text, std::string_view reference);
/// The best of each over several references; none stands for "no answer" and is a reference without words.
AnswerScore answer_score(std::string_view text, std::span<const std::string> references);

}  // namespace hone
