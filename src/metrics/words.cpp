#include "metrics/words.h"

#include <utility>

#include "base/utf8.h"
#include "metrics/porter_stemmer.h"
#include "text/code_points.h"
#include "text/unicode_classes.h"

namespace hone {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// ASCII signs that 13a takes as words wherever they stand: all but ' , - . and the full stop.
bool is_sign(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') ||
         (c >= ':' && c <= '@') || c == '/';
}

bool is_punctuation(char32_t point) {
  const Category category = char_class(point).category();
  return category >= Category::Pc && category <= Category::Po;
}

bool is_symbol(char32_t point) {
  const Category category = char_class(point).category();
  return category >= Category::Sm && category <= Category::So;
}

bool is_number(char32_t point) { return char_class(point).is_number(); }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::u32string code_points(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) points += next_code_point(text, at);
  return points;
}

std::string utf8(const std::u32string& points) {
  std::string text;
  for (const char32_t point : points) append_utf8(text, point);
  return text;
}

/// Python's str.rstrip().
std::string_view without_trailing_space(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_python_space(next_code_point(text, at))) end = at;
  }
  return text.substr(0, end);
}

/// Writes each pair of neighbours that matches anew; pairs do not overlap, as with a regular expression.
template <class Text, class Matches, class Write>
Text pass(const Text& text, Matches matches, Write write) {
  Text result;
  for (std::size_t i = 0; i < text.size();) {
    if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
      write(result, text[i], text[i + 1]);
      i += 2;
    } else {
      result += text[i++];
    }
  }
  return result;
}

/// "ab" to "a b " and to " a b".
template <class Text>
void space_behind(Text& out, typename Text::value_type a, typename Text::value_type b) {
  out.append({a, ' ', b, ' '});
}
template <class Text>
void space_before(Text& out, typename Text::value_type a, typename Text::value_type b) {
  out.append({' ', a, ' ', b});
}

/// Whether a cased letter stands next to `at` in the direction `step`, over what case ignores.
bool cased_neighbour(const std::u32string& points, std::size_t at, std::ptrdiff_t step) {
  for (auto i = static_cast<std::ptrdiff_t>(at) + step; i >= 0 && i < std::ssize(points); i += step) {
    const CharClass found = char_class(points[static_cast<std::size_t>(i)]);
    const Category category = found.category();
    if (category == Category::Lu || category == Category::Ll || category == Category::Lt) return true;
    const char32_t point = points[static_cast<std::size_t>(i)];
    const bool ignored = found.is_mark() || category == Category::Lm || category == Category::Sk ||
                         category == Category::Cf || point == '\'' || point == '.' || point == ':' || point == 0xB7 ||
                         point == 0x2018 || point == 0x2019;
    if (!ignored) return false;
  }
  return false;
}

}  // namespace

bool is_python_space(char32_t point) { return is_white_space(point) || (point >= 0x1C && point <= 0x1F); }

std::string lower_text(std::string_view text) {
  const std::u32string points = code_points(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i] == 0x130) {
      out += "i\u0307";
    } else if (points[i] == 0x3A3) {
      const bool final = cased_neighbour(points, i, -1) && !cased_neighbour(points, i, 1);
      append_utf8(out, final ? 0x3C2 : 0x3C3);
    } else {
      append_utf8(out, lower_case(points[i]));
    }
  }
  return out;
}

Words plain_words(std::string_view text) {
  Words words;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (!is_python_space(next_code_point(text, at))) continue;
    if (here > begin) words.emplace_back(text.substr(begin, here - begin));
    begin = at;
  }
  if (text.size() > begin) words.emplace_back(text.substr(begin));
  return words;
}

Words words_13a(std::string_view original) {
  std::string text(without_trailing_space(original));
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  std::string apart = " ";
  for (const char c : text + " ") is_sign(c) ? apart.append({' ', c, ' '}) : apart.append(1, c);
  const auto mark = [](char c) { return c == '.' || c == ','; };
  apart = pass(apart, [&](char a, char b) { return !is_digit(a) && mark(b); }, space_behind<std::string>);
  apart = pass(apart, [&](char a, char b) { return mark(a) && !is_digit(b); }, space_before<std::string>);
  apart = pass(apart, [](char a, char b) { return is_digit(a) && b == '-'; }, space_behind<std::string>);
  return plain_words(apart);
}

Words words_intl(std::string_view text) {
  std::u32string points = code_points(without_trailing_space(text));
  points = pass(
      points, [](char32_t a, char32_t b) { return !is_number(a) && is_punctuation(b); }, space_behind<std::u32string>);
  points = pass(
      points, [](char32_t a, char32_t b) { return is_punctuation(a) && !is_number(b); }, space_before<std::u32string>);
  std::u32string apart;
  for (const char32_t point : points) is_symbol(point) ? apart.append({U' ', point, U' '}) : apart.append(1, point);
  return plain_words(utf8(apart));
}

Words character_words(std::string_view text) {
  Words words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (!is_python_space(next_code_point(text, at))) words.emplace_back(text.substr(here, at - here));
  }
  return words;
}

Words split_words(WordSplit split, std::string_view text) {
  switch (split) {
    case WordSplit::by_13a: return words_13a(text);
    case WordSplit::international: return words_intl(text);
    case WordSplit::character: return character_words(text);
    case WordSplit::none: break;
  }
  return plain_words(text);
}

Words rouge_words(std::string_view text, bool stem) {
  Words words;
  std::string word;
  for (const char c : lower_text(text) + " ") {
    if (is_digit(c) || (c >= 'a' && c <= 'z')) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(stem && word.size() > 3 ? porter_stem(word) : word);
      word.clear();
    }
  }
  return words;
}

}  // namespace hone
