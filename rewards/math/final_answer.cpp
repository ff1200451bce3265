#include "rewards/math/final_answer.h"

#include <algorithm>

#include "rewards/math/equivalence.h"
#include "rewards/number.h"
#include "rewards/pattern.h"

namespace hone::math {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view ignored = " \t\r\n:*";
  const std::size_t first = text.find_first_not_of(ignored);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(ignored) - first + 1);
}

std::optional<std::string_view> line_after(std::string_view text, std::string_view marker) {
  const std::size_t at = text.rfind(marker);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + marker.size());
  const std::string_view line = trimmed(rest.substr(0, rest.find('\n')));
  return line.empty() ? std::nullopt : std::optional(line);
}

/// Up to a full stop that ends a sentence.
std::string_view sentence_of(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') return text.substr(0, i);
    if (text[i] == '.' && (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n')) return text.substr(0, i);
  }
  return text;
}

/// The contents of the first $…$, $$…$$, \(…\) or \[…\].
std::optional<std::string_view> formula_in(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> brackets[] = {
      {"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}};
  std::optional<std::string_view> first;
  std::size_t first_at = text.size();
  for (const auto& [opening, closing] : brackets) {
    const std::size_t begin = text.find(opening);
    if (begin >= first_at) continue;
    const std::size_t end = text.find(closing, begin + opening.size());
    if (end == std::string_view::npos || end == begin + opening.size()) continue;
    first_at = begin;
    first = text.substr(begin + opening.size(), end - begin - opening.size());
  }
  return first;
}

std::optional<std::string> after_phrase(std::string_view text) {
  static const Pattern phrase(R"(\b(?:answer|result)\b(?:\s+[\w']+){0,5}?\s*(?:\b(?:is|are)\b|[:=]))",
                              {.ignore_case = true});
  const auto found = phrase.find_all(text);
  if (found.empty()) return std::nullopt;
  const std::string_view last = found.back().front().value_or(std::string_view());
  const std::string_view rest = trimmed(text.substr(static_cast<std::size_t>(last.data() - text.data()) + last.size()));
  const std::string_view sentence = trimmed(sentence_of(rest));
  if (sentence.empty()) return std::nullopt;
  const auto formula = formula_in(rest.substr(0, rest.find("\n\n")));
  if (formula && formula->data() <= sentence.data() + sentence.size()) return std::string(*formula);
  if (readable(sentence)) return std::string(sentence);
  const auto number = first_number_text(sentence);
  return std::string(number.value_or(sentence));
}

std::optional<std::string> at_place(std::string_view text, Place place) {
  const auto copied = [](std::optional<std::string_view> found) {
    return found ? std::optional<std::string>(*found) : std::nullopt;
  };
  switch (place) {
    case Place::boxed: return copied(last_boxed(text));
    case Place::hashes: return copied(line_after(text, "####"));
    case Place::phrase: return after_phrase(text);
    case Place::number: return copied(last_number_text(text));
    case Place::whole: return copied(trimmed(text));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> final_answer(std::string_view text, std::span<const Place> places) {
  for (const Place place : places) {
    if (auto answer = at_place(text, place)) return answer;
  }
  return std::nullopt;
}

}  // namespace hone::math
