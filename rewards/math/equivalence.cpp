#include "rewards/math/equivalence.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include "base/error.h"
#include "rewards/math/compare.h"
#include "rewards/math/normalise.h"
#include "rewards/math/parse.h"
#include "rewards/math/tokens.h"

namespace hone::math {

namespace {

constexpr std::size_t longest_answer = 4096;

/// The text without \text, spaces, braces and quotes, and without the brackets of a choice, (A); "" for a formula.
std::string as_words(std::string_view text) {
  std::string words;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\\text{")) {
      i += 5;
      continue;
    }
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80 || std::isalnum(c) != 0 || std::string_view("(),;:.'-_?!").find(text[i]) != std::string_view::npos) {
      words += text[i];
    } else if (std::string_view("{}\"` ").find(text[i]) == std::string_view::npos) {
      return {};
    }
  }
  const bool choice = words.size() == 3 && words.front() == '(' && words.back() == ')' &&
                      std::isalpha(static_cast<unsigned char>(words[1])) != 0;
  return choice ? words.substr(1, 1) : words;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// A sentence or a word such as "Yes", as opposed to a product of variables.
bool wordy(std::string_view text) {
  std::size_t letters = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') return false;
    letters += std::isalpha(static_cast<unsigned char>(c)) != 0;
  }
  return letters >= 4 || lower(std::string(text)) == "yes" || lower(std::string(text)) == "no" ||
         text.find("\\text{") != std::string::npos;
}

/// Words without regard to case; letters and short names with it, as x is not X.
bool same_words(std::string_view a, std::string_view b) {
  const std::string first = as_words(a);
  const std::string second = as_words(b);
  return !first.empty() && (first == second || (wordy(a) && wordy(b) && lower(first) == lower(second)));
}

std::string without_spaces(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c != ' ') result += c;
  }
  return result;
}

struct Answer {
  std::vector<Token> tokens;
  std::vector<Token> value;  ///< without the unit
  std::string unit;
};

std::optional<Answer> answer_of(std::string_view text) {
  try {
    Answer answer;
    answer.tokens = answer.value = tokens_of(text);
    answer.unit = take_unit(answer.value);
    return answer;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool same_values(const std::vector<Token>& a, const std::vector<Token>& b, double tolerance) {
  try {
    return same(parsed(a), parsed(b), tolerance);
  } catch (const Error&) {
    return false;
  }
}

bool measure(const std::string& unit) { return unit == "%" || unit == "degree"; }

}  // namespace

bool equivalent(std::string_view a, std::string_view b, const Equivalence& options) {
  const std::string first = normalised(a);
  const std::string second = normalised(b);
  if (first.empty() || second.empty()) return first == second;
  if (without_spaces(first) == without_spaces(second)) return true;
  if (same_words(first, second)) return true;
  if (std::max(first.size(), second.size()) > longest_answer) return false;
  const auto left = answer_of(first);
  const auto right = answer_of(second);
  if (!left || !right) return false;
  if (!left->unit.empty() && !right->unit.empty()) {
    if (left->unit == right->unit) return same_values(left->value, right->value, options.tolerance);
    return same_values(left->tokens, right->tokens, options.tolerance);
  }
  if (same_values(left->value, right->value, options.tolerance)) return true;
  return (measure(left->unit) || measure(right->unit)) && same_values(left->tokens, right->tokens, options.tolerance);
}

bool readable(std::string_view text) {
  const std::string plain = normalised(text);
  if (plain.empty() || plain.size() > longest_answer) return false;
  const auto answer = answer_of(plain);
  return answer && has_meaning(answer->value);
}

}  // namespace hone::math
