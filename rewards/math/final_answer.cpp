#include "rewards/math/final_answer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "rewards/math/equivalence.h"
#include "rewards/number.h"
#include "rewards/pattern.h"

namespace hone::math {

namespace {

constexpr std::string_view white_space = " \t\r\n";
// Short words that no formula has: a sentence with one of them is prose.
constexpr std::array<std::string_view, 24> small_words{"not", "but", "so",  "as",  "if",  "is",  "the", "we",
                                                       "for", "to",  "by",  "at",  "of",  "it",  "an",  "be",
                                                       "she", "has", "are", "all", "per", "now", "its", "than"};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

/// Without the colon and the stars (bold type) around an answer; a single star at the end belongs to it.
std::string_view bared(std::string_view text) {
  text = trimmed(text);
  const std::size_t first = text.find_first_not_of(":* \t");
  if (first == std::string_view::npos) return {};
  text.remove_prefix(first);
  if (text.ends_with("**")) text.remove_suffix(2);
  return trimmed(text);
}

std::optional<std::string_view> line_after(std::string_view text, std::string_view marker) {
  const std::size_t at = text.rfind(marker);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + marker.size());
  const std::string_view line = bared(rest.substr(0, rest.find('\n')));
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

/// Where `sign` stands from `from` on, \$ aside; npos when it does not.
std::size_t find_unescaped(std::string_view text, std::string_view sign, std::size_t from) {
  std::size_t at = text.find(sign, from);
  while (sign[0] == '$' && at != std::string_view::npos && at > 0 && text[at - 1] == '\\') at = text.find(sign, at + 1);
  return at;
}

/// The contents of the first $…$, $$…$$, \(…\) or \[…\].
std::optional<std::string_view> formula_in(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> brackets[] = {
      {"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}};
  std::optional<std::string_view> first;
  std::size_t first_at = text.size();
  for (const auto& [opening, closing] : brackets) {
    const std::size_t begin = find_unescaped(text, opening, 0);
    if (begin >= first_at) continue;
    const std::size_t end = find_unescaped(text, closing, begin + opening.size());
    if (end == std::string_view::npos || end == begin + opening.size()) continue;
    first_at = begin;
    first = text.substr(begin + opening.size(), end - begin - opening.size());
  }
  return first;
}

/// The formula or short answer that the sentence is, or the first number of one that is prose.
std::string answer_in(std::string_view sentence) {
  static const Pattern word(R"((?<![\\\w{])[A-Za-z]+(?![\w}]))", {});
  bool prose = false;
  bool long_words = false;
  for (const Pattern::Match& match : word.find_all(sentence)) {
    prose = prose || std::ranges::find(small_words, *match[0]) != small_words.end();
    long_words = long_words || match[0]->size() >= 4;
  }
  if (!prose && (!long_words || readable(sentence))) return std::string(sentence);
  return std::string(first_number_text(sentence).value_or(sentence));
}

std::optional<std::string> after_phrase(std::string_view text) {
  static const Pattern phrase(R"(\b(?:answer|result)\b(?:\s+[\w']+){0,5}?\s*(?:\b(?:is|are)\b|[:=]))",
                              {.ignore_case = true});
  const auto found = phrase.find_all(text);
  if (found.empty()) return std::nullopt;
  const std::string_view last = found.back().front().value_or(std::string_view());
  const auto end = static_cast<std::size_t>(last.data() - text.data()) + last.size();
  const std::string_view rest = bared(text.substr(end));
  const std::string_view sentence = bared(sentence_of(rest));
  if (sentence.empty()) return std::nullopt;
  const auto formula = formula_in(rest.substr(0, rest.find("\n\n")));
  if (formula && formula->data() <= sentence.data() + sentence.size()) return std::string(*formula);
  return answer_in(sentence);
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
