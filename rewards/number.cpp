#include "rewards/number.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "rewards/pattern.h"

namespace hone {

namespace {

// Groups: 1 sign; 2, 3, 4 whole part, numerator and denominator of \frac; 5, 6 number and denominator; 7 percent sign.
constexpr const char* grammar = R"((?x)
    ( (?<! [\w)\]}] ) [-+\x{2212}] (?: \\? \$ )? )?
    (?:
      (?: (?<! \w ) ( \d+ ) )? \\[dt]?frac \s* \{ \s* ( -? \d+ (?: \.\d+ )? ) \s* \}
                                          \s* \{ \s* ( -? \d+ (?: \.\d+ )? ) \s* \}
    |
      (?<! \w )
      ( (?: \d{1,3} (?: , \d{3} )+ (?! \d ) (?: \.\d+ )? | \d+ (?: \.\d+ )? | \.\d+ ) (?: [eE] [-+]? \d+ )? )
      (?: \s? / \s? ( \d+ (?: \.\d+ )? ) )?
    )
    ( \s? \\? % )?
    )";

double parsed(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ',') digits += c;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() ? value : std::numeric_limits<double>::quiet_NaN();
}

std::optional<double> value_of(const Pattern::Match& match) {
  double value = 0;
  if (match[3]) {
    value = parsed(*match[3]) / parsed(*match[4]);
    if (match[2]) value += parsed(*match[2]);
  } else {
    value = parsed(*match[5]);
    if (match[6]) value /= parsed(*match[6]);
  }
  if (match[1] && match[1]->front() != '+') value = -value;
  if (match[7]) value /= 100.0;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

struct Number {
  double value = 0;
  std::string_view text;
};

std::vector<Number> numbers(std::string_view text) {
  static const Pattern pattern(grammar, {});
  std::vector<Number> found;
  for (const Pattern::Match& match : pattern.find_all(text)) {
    if (const auto value = value_of(match)) found.push_back({*value, match[0].value_or(std::string_view())});
  }
  return found;
}

}  // namespace

std::optional<double> first_number(std::string_view text) {
  const std::vector<Number> found = numbers(text);
  return found.empty() ? std::nullopt : std::optional(found.front().value);
}

std::optional<double> last_number(std::string_view text) {
  const std::vector<Number> found = numbers(text);
  return found.empty() ? std::nullopt : std::optional(found.back().value);
}

std::optional<std::string_view> first_number_text(std::string_view text) {
  const std::vector<Number> found = numbers(text);
  return found.empty() ? std::nullopt : std::optional(found.front().text);
}

std::optional<std::string_view> last_number_text(std::string_view text) {
  const std::vector<Number> found = numbers(text);
  return found.empty() ? std::nullopt : std::optional(found.back().text);
}

std::optional<std::string_view> last_boxed(std::string_view text) {
  std::string_view rest;
  std::size_t start = 0;
  for (const std::string_view opening : {"\\boxed{", "\\fbox{"}) {
    const std::size_t at = text.rfind(opening);
    if (at == std::string_view::npos || at + opening.size() < start) continue;
    start = at + opening.size();
    rest = text.substr(start);
  }
  if (start == 0) return std::nullopt;
  int depth = 1;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    depth += rest[i] == '{' ? 1 : rest[i] == '}' ? -1 : 0;
    if (depth == 0) return rest.substr(0, i);
  }
  return std::nullopt;
}

}  // namespace hone
