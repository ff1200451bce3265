#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "predict/answer_windows.h"

namespace hone {

struct ContextToken {
  std::size_t begin = 0;  ///< bytes [begin, end) of the context
  std::size_t end = 0;
  std::int32_t word = -1;  ///< which word of the context it belongs to; -1: not known
};

/// What a span head said about a window.
struct SpanLogits {
  std::span<const float> start_T;
  std::span<const float> end_T;
};

struct AnswerSettings {
  std::size_t top_k = 1;
  std::size_t max_answer_length = 15;     ///< in tokens
  bool handle_impossible_answer = false;  ///< "" is an answer too
  bool align_to_words = true;             ///< widens answers to whole words, where words are known
};

struct Answer {
  double score = 0;
  std::int64_t start = 0;  ///< code points [start, end) of the context
  std::int64_t end = 0;
  std::string answer;
};

/// The best spans of all windows, best first, as transformers 4's question-answering pipeline finds them: softmax over
/// the context tokens and the first id (where models put "no answer"), score = P(start) · P(end) for start ≤ end within
/// max_answer_length; the scores of the same answer (without regard to case) add up. Spans of probability 0 are no
/// answers. Error{data} when the logits do not fit the windows.
std::vector<Answer> find_answers(std::string_view context, std::span<const ContextToken> tokens,
                                 std::span<const AnswerWindow> windows, std::span<const SpanLogits> logits,
                                 const AnswerSettings& settings);

/// {"score", "start", "end", "answer"}; a list of such for several.
Json to_json(std::span<const Answer> answers);

}  // namespace hone
