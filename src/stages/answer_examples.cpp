#include "stages/answer_examples.h"

#include <algorithm>

#include "base/error.h"

namespace hone {

namespace {

/// Tokens of the context from the one in which the answer begins to the one in which it ends.
struct TokenSpan {
  std::size_t first = 0, last = 0;
};

TokenSpan tokens_of(const std::vector<ContextToken>& tokens, const ContextAnswer& answer, std::string_view where) {
  const std::size_t end = answer.begin + answer.text.size();
  const auto overlaps = [&](const ContextToken& token) { return token.begin < end && token.end > answer.begin; };
  const auto first = std::find_if(tokens.begin(), tokens.end(), overlaps);
  if (first == tokens.end()) {
    fail(ErrorKind::data, "{}: the answer \"{}\" has no token; leave the row out", where, answer.text);
  }
  const auto last = std::find_if(tokens.rbegin(), tokens.rend(), overlaps);
  return {static_cast<std::size_t>(first - tokens.begin()), static_cast<std::size_t>(tokens.rend() - last) - 1};
}

std::array<std::int64_t, 2> span_in(const AnswerWindow& window, const std::optional<TokenSpan>& answer) {
  if (!answer || answer->first < window.first_token || answer->last >= window.first_token + window.tokens) return {0, 0};
  const auto place = [&](std::size_t token) {
    return static_cast<std::int64_t>(window.context_begin + token - window.first_token);
  };
  return {place(answer->first), place(answer->last)};
}

TokenExample example_of(const AnswerWindow& window, const ModelInput& input, std::int64_t row) {
  TokenExample example{.ids = window.ids, .row = row};
  example.context_tokens = static_cast<std::int64_t>(window.ids.size());
  if (input.token_types) example.type_ids = window.type_ids;
  return example;
}

}  // namespace

AskedQuestions encode_questions(const Dataset& data, Split split, std::size_t most, const Tokenizer& tokenizer,
                                const ModelInput& input, const AnswerWindowRules& rules) {
  if (data.shape() != DataShape::question) {
    fail(ErrorKind::data, "data.{}: expected rows of context+question+answers, found {}; name the columns with "
         "`columns:`", data.name(), data.shape_name());
  }
  const PairTemplate around = pair_template(tokenizer);
  const auto length = static_cast<std::size_t>(std::min(rules.max_tokens, input.context));
  const auto rows = data.rows(split);
  AskedQuestions asked;
  for (std::size_t i = 0; i < std::min(rows.size(), most); ++i) {
    const std::string where = data.place(split, i);
    AskedQuestion question{.context = rows[i].text};
    const EncodedText context = tokenizer.encode_with_offsets({rows[i].text, std::nullopt}, AddSpecial::no);
    for (const TextRange& range : context.offsets) question.tokens.push_back({range.begin, range.end, -1});
    try {
      question.windows = answer_windows(tokenizer.encode(rows[i].question), context.ids, around, length,
                                        static_cast<std::size_t>(rules.stride));
    } catch (const Error& error) {
      fail(error.kind(), "{}: {}", where, error.what());
    }
    std::optional<TokenSpan> answer;
    if (!rows[i].answers.empty()) answer = tokens_of(question.tokens, rows[i].answers[0], where);
    for (const AnswerWindow& window : question.windows) {
      asked.examples.push_back(example_of(window, input, static_cast<std::int64_t>(i)));
      asked.examples.back().span = span_in(window, answer);
    }
    for (const ContextAnswer& known : rows[i].answers) question.answers.push_back(known.text);
    asked.questions.push_back(std::move(question));
  }
  return asked;
}

}  // namespace hone
