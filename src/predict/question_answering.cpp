#include "predict/question_answering.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "predict/character_offsets.h"
#include "text/code_points.h"
#include "text/unicode_classes.h"

namespace hone {
namespace {

struct Span {
  std::size_t first = 0;  ///< places in the window's ids
  std::size_t last = 0;
  double score = 0;
};

/// Softmax over the first id and the window's context; 0 elsewhere.
std::vector<double> probabilities(std::span<const float> logits, const AnswerWindow& window) {
  const auto counts = [&](std::size_t i) {
    return i == 0 || (i >= window.context_begin && i < window.context_begin + window.tokens);
  };
  double peak = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]))
      fail(ErrorKind::data, "span logit {} of {} is not a number: the model's weights are broken", i, logits.size());
    if (counts(i)) peak = std::max(peak, static_cast<double>(logits[i]));
  }
  std::vector<double> mass(logits.size(), 0);
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (counts(i)) sum += mass[i] = std::exp(logits[i] - peak);
  }
  for (double& m : mass) m /= sum;
  return mass;
}

/// The `count` best spans within the context, best first.
std::vector<Span> best_spans(const AnswerWindow& window, std::span<const double> start, std::span<const double> end,
                             std::size_t longest, std::size_t count) {
  std::vector<Span> spans;
  const std::size_t stop = window.context_begin + window.tokens;
  for (std::size_t first = window.context_begin; first < stop; ++first) {
    for (std::size_t last = first; last < std::min(stop, first + longest); ++last) {
      const double score = start[first] * end[last];
      if (score > 0) spans.push_back({first, last, score});
    }
  }
  std::stable_sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.score > b.score; });
  if (spans.size() > count) spans.resize(count);
  return spans;
}

/// The context tokens of a span, widened to the words of its ends as far as the window has them.
std::pair<std::size_t, std::size_t> tokens_of(const Span& span, const AnswerWindow& window,
                                              std::span<const ContextToken> tokens, bool align) {
  const std::size_t shift = window.first_token;
  std::size_t first = span.first - window.context_begin + shift;
  std::size_t last = span.last - window.context_begin + shift;
  if (!align || tokens[first].word < 0 || tokens[last].word < 0) return {first, last};
  while (first > shift && tokens[first - 1].word == tokens[first].word) --first;
  while (last + 1 < shift + window.tokens && tokens[last + 1].word == tokens[last].word) ++last;
  return {first, last};
}

std::string lower(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) append_utf8(result, lower_case(next_code_point(text, at)));
  return result;
}

class Answers {
 public:
  void add(std::string_view text, std::size_t begin, std::size_t end, double score, const CharacterOffsets& offsets) {
    const std::string_view covered = text.substr(begin, end - begin);
    const std::string key = lower(covered);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (keys_[i] == key) {
        found_[i].score += score;
        return;
      }
    }
    keys_.push_back(key);
    found_.push_back({score, offsets.at(begin), offsets.at(end), std::string(covered)});
  }
  std::vector<Answer> best(std::size_t count) && {
    std::stable_sort(found_.begin(), found_.end(), [](const Answer& a, const Answer& b) { return a.score > b.score; });
    if (found_.size() > count) found_.resize(count);
    return std::move(found_);
  }
  void add_none(double score) { found_.push_back({.score = score}); }

 private:
  std::vector<Answer> found_;
  std::vector<std::string> keys_;
};

void check(std::string_view context, std::span<const ContextToken> tokens, std::span<const AnswerWindow> windows,
           std::span<const SpanLogits> logits) {
  if (windows.size() != logits.size()) {
    fail(ErrorKind::data, "{} windows but {} rows of span logits", windows.size(), logits.size());
  }
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (logits[i].start_T.size() != windows[i].ids.size() || logits[i].end_T.size() != windows[i].ids.size()) {
      fail(ErrorKind::data, "window {} has {} ids but {} start and {} end logits", i, windows[i].ids.size(),
           logits[i].start_T.size(), logits[i].end_T.size());
    }
    HONE_ASSERT(windows[i].first_token + windows[i].tokens <= tokens.size());
  }
  for (const ContextToken& token : tokens) HONE_ASSERT(token.begin <= token.end && token.end <= context.size());
}

}  // namespace

std::vector<Answer> find_answers(std::string_view context, std::span<const ContextToken> tokens,
                                 std::span<const AnswerWindow> windows, std::span<const SpanLogits> logits,
                                 const AnswerSettings& settings) {
  check(context, tokens, windows, logits);
  const CharacterOffsets offsets(context);
  // Answers may become one when they are widened.
  const std::size_t candidates = settings.align_to_words ? settings.top_k * 2 + 10 : settings.top_k;
  double no_answer = 1'000'000;
  Answers answers;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const std::vector<double> start = probabilities(logits[i].start_T, windows[i]);
    const std::vector<double> end = probabilities(logits[i].end_T, windows[i]);
    no_answer = std::min(no_answer, start.front() * end.front());
    for (const Span& span : best_spans(windows[i], start, end, settings.max_answer_length, candidates)) {
      const auto [first, last] = tokens_of(span, windows[i], tokens, settings.align_to_words);
      answers.add(context, tokens[first].begin, tokens[last].end, span.score, offsets);
    }
  }
  if (settings.handle_impossible_answer) answers.add_none(no_answer);
  return std::move(answers).best(settings.top_k);
}

Json to_json(std::span<const Answer> answers) {
  Json list = Json::array();
  for (const Answer& answer : answers) {
    list.push_back(
        Json::Object{{"score", answer.score}, {"start", answer.start}, {"end", answer.end}, {"answer", answer.answer}});
  }
  return answers.size() == 1 ? list.as_array().front() : list;
}

}  // namespace hone
