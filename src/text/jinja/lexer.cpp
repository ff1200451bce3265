#include "text/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "text/code_points.h"
#include "text/jinja/characters.h"
#include "text/jinja/string_literal.h"

namespace hone::jinja {

namespace {

bool is_decimal_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

std::string with_plain_line_ends(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      text += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      text += source[i];
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view where) : text_(with_plain_line_ends(source)), where_(where) {}

  std::vector<Token> all() {
    while (at_ < text_.size()) root();
    push(TokenKind::end, {});
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    hone::fail(ErrorKind::data, "{}: line {}: {}", where_, line_, what);
  }

  bool next_is(std::string_view word) const { return std::string_view(text_).substr(at_).starts_with(word); }
  bool next_is(std::size_t at, std::string_view word) const {
    return std::string_view(text_).substr(std::min(at, text_.size())).starts_with(word);
  }

  /// Moves to `to` and counts lines.
  void advance(std::size_t to) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<long>(at_), text_.begin() + static_cast<long>(to),
                                         '\n'));
    if (to > at_) line_starting_ = text_[to - 1] == '\n';
    at_ = to;
  }

  std::size_t behind_space(std::size_t at) const {
    while (at < text_.size()) {
      std::size_t next = at;
      if (!is_space(next_code_point(text_, next))) break;
      at = next;
    }
    return at;
  }

  void push(TokenKind kind, std::string_view text) { tokens_.push_back({kind, std::string(text), line_}); }

  /// The data before a tag, without the spaces that the tag takes away.
  std::string_view stripped(std::string_view data, char sign, bool strips_line) const {
    if (sign == '-') {
      while (!data.empty()) {
        std::size_t last = previous_point(data, data.size());
        const std::size_t begin = last;
        if (!is_space(next_code_point(data, last))) break;
        data = data.substr(0, begin);
      }
    } else if (sign != '+' && strips_line) {
      const std::size_t newline = data.rfind('\n');
      const std::size_t line = newline == data.npos ? 0 : newline + 1;
      if (line > 0 || line_starting_) {
        const std::string_view indent = data.substr(line);
        std::size_t at = 0;
        bool blank = true;
        while (at < indent.size() && blank) blank = is_space(next_code_point(indent, at));
        if (blank) data = data.substr(0, line);
      }
    }
    return data;
  }

  char sign_at(std::size_t at) const {
    return at < text_.size() && (text_[at] == '-' || text_[at] == '+') ? text_[at] : '\0';
  }

  void push_data(std::string_view data) {
    if (!data.empty()) push(TokenKind::data, data);
  }

  /// Data up to the next tag, then that tag.
  void root() {
    std::size_t tag = at_;
    for (;; ++tag) {
      tag = text_.find('{', tag);
      if (tag == text_.npos || tag + 1 >= text_.size()) {
        push_data(std::string_view(text_).substr(at_));
        advance(text_.size());
        return;
      }
      if (text_[tag + 1] == '{' || text_[tag + 1] == '%' || text_[tag + 1] == '#') break;
    }
    const char type = text_[tag + 1];
    const char sign = sign_at(tag + 2);
    push_data(stripped(std::string_view(text_).substr(at_, tag - at_), sign, type != '{'));
    if (const std::size_t raw = type == '%' ? behind_raw_tag(tag, "raw", false) : text_.npos; raw != text_.npos) {
      advance(raw);
      raw_block();
      return;
    }
    advance(tag + 2 + (sign != '\0' ? 1 : 0));
    if (type == '#') {
      comment();
    } else {
      push(type == '{' ? TokenKind::variable_begin : TokenKind::block_begin, {});
      inside(type == '{');
    }
  }

  /// Behind `{% raw %}` or `{% endraw %}` that begins at `at`, or npos when something else stands there.
  std::size_t behind_raw_tag(std::size_t at, std::string_view word, bool is_end) const {
    at += 2;
    if (sign_at(at) != '\0') ++at;
    at = behind_space(at);
    if (!next_is(at, word)) return text_.npos;
    at = behind_space(at + word.size());
    if (next_is(at, "-%}")) return behind_space(at + 3);
    if (is_end && next_is(at, "+%}")) return at + 3;
    if (!next_is(at, "%}")) return text_.npos;
    at += 2;
    return is_end && next_is(at, "\n") ? at + 1 : at;
  }

  void raw_block() {
    if (at_ == text_.size()) return;  // as Jinja2, which misses the end only where something follows
    for (std::size_t tag = at_;; ++tag) {
      tag = text_.find("{%", tag);
      if (tag == text_.npos) fail("{% raw %} is not closed by {% endraw %}");
      const std::size_t end = behind_raw_tag(tag, "endraw", true);
      if (end == text_.npos) continue;
      push_data(stripped(std::string_view(text_).substr(at_, tag - at_), sign_at(tag + 2), true));
      advance(end);
      return;
    }
  }

  void comment() {
    if (at_ == text_.size()) return;  // as for raw blocks
    const std::size_t end = text_.find("#}", at_);
    if (end == text_.npos) fail("a comment is not closed by #}");
    const char sign = end > at_ ? sign_at(end - 1) : '\0';
    std::size_t behind = end + 2;
    if (sign == '-') behind = behind_space(behind);
    else if (sign != '+' && next_is(behind, "\n")) ++behind;
    advance(behind);
  }

  /// Behind the end of the tag when it stands here, else npos.
  std::size_t behind_end(bool variable) const {
    if (variable) {
      if (next_is("-}}")) return behind_space(at_ + 3);
      return next_is("}}") ? at_ + 2 : text_.npos;
    }
    if (next_is("+%}")) return at_ + 3;
    if (next_is("-%}")) return behind_space(at_ + 3);
    if (!next_is("%}")) return text_.npos;
    return next_is(at_ + 2, "\n") ? at_ + 3 : at_ + 2;
  }

  /// The tokens of a tag up to its end.
  void inside(bool variable) {
    std::string open;  // brackets to be closed
    while (at_ < text_.size()) {
      if (open.empty()) {
        if (const std::size_t end = behind_end(variable); end != text_.npos) {
          push(variable ? TokenKind::variable_end : TokenKind::block_end, {});
          advance(end);
          return;
        }
      }
      if (const std::size_t space = behind_space(at_); space != at_) {
        advance(space);
        continue;
      }
      const char c = text_[at_];
      if (is_decimal_digit(c)) number();
      else if (starts_name(c)) name();
      else if (c == '\'' || c == '"') string();
      else op(open);
    }
  }

  std::size_t behind_digits(std::size_t at, auto belongs) const {
    std::size_t end = at;
    while (at < text_.size()) {
      if (text_[at] == '_' && at + 1 < text_.size() && belongs(text_[at + 1])) at += 2;
      else if (belongs(text_[at])) ++at;
      else break;
      end = at;
    }
    return end;
  }

  /// Behind the fraction or exponent of a number whose whole part ends at `at`; `at` when it has neither.
  std::size_t behind_fraction(std::size_t at) const {
    std::size_t end = at;
    if (next_is(at, ".") && at + 1 < text_.size() && is_decimal_digit(text_[at + 1])) {
      end = behind_digits(at + 1, is_decimal_digit);
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      std::size_t exponent = end + 1;
      if (sign_at(exponent) != '\0') ++exponent;
      if (exponent < text_.size() && is_decimal_digit(text_[exponent])) end = behind_digits(exponent, is_decimal_digit);
    }
    return end;
  }

  void number() {
    TokenKind kind = TokenKind::integer;
    const std::size_t whole = behind_digits(at_, is_decimal_digit);
    const bool after_dot = at_ > 0 && text_[at_ - 1] == '.';
    std::size_t end = after_dot ? whole : behind_fraction(whole);
    if (end != whole) kind = TokenKind::real;
    else end = behind_integer(whole);
    std::string digits(text_, at_, end - at_);
    std::erase(digits, '_');
    push(kind, digits);
    advance(end);
  }

  /// Behind an integer that begins here: one with a prefix, a run of zeros, or the digits up to `whole`.
  std::size_t behind_integer(std::size_t whole) const {
    if (text_[at_] != '0') return whole;
    const char prefix = at_ + 1 < text_.size() ? static_cast<char>(text_[at_ + 1] | 0x20) : '\0';
    const auto one_of = [&](auto belongs) {
      const std::size_t end = behind_digits(at_ + 2, belongs);
      return end == at_ + 2 ? at_ + 1 : end;
    };
    if (prefix == 'b') return one_of([](char c) { return c == '0' || c == '1'; });
    if (prefix == 'o') return one_of([](char c) { return c >= '0' && c <= '7'; });
    if (prefix == 'x') {
      return one_of([](char c) { return is_decimal_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); });
    }
    return behind_digits(at_, [](char c) { return c == '0'; });
  }

  void name() {
    std::size_t end = at_;
    while (end < text_.size() && (starts_name(text_[end]) || is_decimal_digit(text_[end]))) ++end;
    push(TokenKind::name, std::string_view(text_).substr(at_, end - at_));
    advance(end);
  }

  void string() {
    const char quote = text_[at_];
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) fail("a string is not closed");
    std::string problem;
    tokens_.push_back({TokenKind::string, {}, line_});
    tokens_.back().text = unescaped(std::string_view(text_).substr(at_ + 1, end - at_ - 1), problem);
    if (!problem.empty()) fail(problem);
    advance(end + 1);
  }

  void op(std::string& open) {
    static constexpr std::array<std::string_view, 26> spellings = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
        "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
    const auto spelling = std::ranges::find_if(spellings, [&](std::string_view s) { return next_is(s); });
    if (spelling == spellings.end()) fail(fmt::format("unexpected character '{}'", text_[at_]));
    const char c = spelling->front();
    if (c == '(' || c == '[' || c == '{') {
      open += c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c) {
        fail(open.empty() ? fmt::format("unexpected '{}'", c)
                          : fmt::format("unexpected '{}', expected '{}'", c, open.back()));
      }
      open.pop_back();
    }
    push(TokenKind::op, *spelling);
    advance(at_ + spelling->size());
  }

  const std::string text_;
  std::string_view where_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, std::string_view where) { return Lexer(source, where).all(); }

}  // namespace hone::jinja
