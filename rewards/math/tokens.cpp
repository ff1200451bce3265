#include "rewards/math/tokens.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace hone::math {

namespace {

constexpr std::size_t most_tokens = 2000;

constexpr std::array<std::string_view, 40> functions{
    "sin",    "cos",     "tan",     "cot",     "sec",  "csc",  "arcsin", "arccos", "arctan", "asin",
    "acos",   "atan",    "sinh",    "cosh",    "tanh", "coth", "ln",     "log",    "lg",     "exp",
    "max",    "min",     "gcd",     "lcm",     "abs",  "sgn",  "floor",  "ceil",   "arccot", "arcsec",
    "arccsc", "arcsinh", "arccosh", "arctanh", "sech", "csch", "Re",     "Im",     "asinh",  "acosh"};
// Commands that bind names or ranges: only equal texts are equal.
constexpr std::array<std::string_view, 15> unreadable{"sum",    "int",    "lim",    "prod",   "oint",
                                                      "iint",   "limsup", "liminf", "inf",    "sup",
                                                      "bigcup", "bigcap", "forall", "exists", "substack"};
constexpr std::array<std::string_view, 7> bold{"mathbf", "boldsymbol", "vec",           "mathit",
                                               "bm",     "mathsf",     "overrightarrow"};
constexpr std::array<std::string_view, 9> accents{"mathbb", "mathcal", "mathfrak", "mathscr",  "hat",
                                                  "bar",    "tilde",   "widehat",  "widetilde"};
constexpr std::array<std::string_view, 8> texts{"text", "mathrm", "textbf", "operatorname",
                                                "mbox", "textrm", "textit", "operatorname*"};
constexpr std::array<std::string_view, 34> units{
    "cm",  "mm",  "km",  "kg", "mg", "ml", "mi", "ft",  "yd", "lb",  "lbs", "oz",  "hr",  "hrs", "min", "sec", "mph",
    "kph", "usd", "day", "gb", "mb", "am", "pm", "kwh", "hz", "khz", "mhz", "rad", "deg", "ms",  "cl",  "dl",  "pts"};

template <std::size_t n>
bool contains(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) {
      if (tokens_.size() >= most_tokens) fail(ErrorKind::data, "more than {} tokens", most_tokens);
      const char c = text_[at_];
      if (c == ' ') {
        space_ = true;
        ++at_;
      } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
        number();
      } else if (is_letter(c)) {
        letters();
      } else if (c == '\\') {
        command();
      } else {
        ++at_;
        depth_ += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
        add(Token::Kind::sign, std::string(1, c));
      }
    }
    add(Token::Kind::end, "");
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void add(Token::Kind kind, std::string text) {
    tokens_.push_back({kind, std::move(text), space_});
    space_ = false;
  }

  bool three_digits(std::size_t ahead) const {
    return is_digit(peek(ahead)) && is_digit(peek(ahead + 1)) && is_digit(peek(ahead + 2)) &&
           !is_digit(peek(ahead + 3));
  }

  void digits(std::string& into) {
    while (is_digit(peek(0))) into += text_[at_++];
  }

  void number() {
    std::string value;
    digits(value);
    const std::size_t whole = value.size();
    if (whole >= 1 && whole <= 3 && value[0] != '0') {
      while ((peek(0) == ',' && depth_ <= 0 && three_digits(1)) || (peek(0) == ' ' && three_digits(1))) {
        ++at_;
        digits(value);
      }
    }
    if (peek(0) == '.' && (is_digit(peek(1)) || text_.substr(at_ + 1).starts_with("\\overline{"))) {
      value += text_[at_++];
      digits(value);
      if (repeating(value)) return;
    } else if (peek(0) == '.' && whole > 0) {
      ++at_;
    }
    const std::size_t sign = peek(1) == '-' || peek(1) == '+' ? 1 : 0;
    if ((peek(0) == 'e' || peek(0) == 'E') && is_digit(peek(1 + sign))) {
      value += 'e';
      if (sign == 1) value += peek(1);
      at_ += 1 + sign;
      digits(value);
    }
    add(Token::Kind::number, std::move(value));
  }

  /// 0.1\overline{6} is (16 − 1) / 90, written as a quotient in brackets.
  bool repeating(const std::string& start) {
    constexpr std::string_view opening = "\\overline{";
    if (!text_.substr(at_).starts_with(opening)) return false;
    const std::size_t end = text_.find('}', at_);
    if (end == std::string_view::npos) return false;
    const std::string_view period = text_.substr(at_ + opening.size(), end - at_ - opening.size());
    const std::size_t point = start.find('.');
    const std::size_t fixed = start.size() - point - 1;
    if (period.empty() || !std::ranges::all_of(period, is_digit)) return false;
    at_ = end + 1;
    const std::string head = start.substr(0, point) + start.substr(point + 1);
    const std::string signs[] = {"(",
                                 "(",
                                 head + std::string(period),
                                 "-",
                                 head.empty() ? "0" : head,
                                 ")",
                                 "/",
                                 std::string(period.size(), '9') + std::string(fixed, '0'),
                                 ")"};
    for (const std::string& sign : signs) add(is_digit(sign[0]) ? Token::Kind::number : Token::Kind::sign, sign);
    return true;
  }

  void letters() {
    const std::size_t begin = at_;
    while (is_letter(peek(0))) ++at_;
    const std::string run(text_.substr(begin, at_ - begin));
    if (run.size() == 1) return add(Token::Kind::letter, run);
    if (is_function(run) || run == "sqrt" || run == "pi") return add(Token::Kind::command, run);
    if (run == "infinity" || run == "inf" || run == "Infinity") return add(Token::Kind::command, "infty");
    if (run == "or" || run == "and") return add(Token::Kind::sign, ",");
    if (measure(run)) return;
    add(Token::Kind::word, run);
  }

  /// Adds the sign that the word stands for, if it is the name of one.
  bool measure(std::string_view word) {
    const bool percent = word == "percent" || word == "per cent" || word == "percentage";
    if (percent) add(Token::Kind::sign, "%");
    if (word == "degree" || word == "degrees") return add(Token::Kind::command, "degree"), true;
    return percent;
  }

  /// The text within the braces that follow, or the next character.
  std::string braced() {
    while (peek(0) == ' ') ++at_;
    if (peek(0) != '{') return at_ < text_.size() ? std::string(1, text_[at_++]) : std::string();
    const std::size_t begin = ++at_;
    for (int depth = 1; at_ < text_.size(); ++at_) {
      depth += text_[at_] == '{' ? 1 : text_[at_] == '}' ? -1 : 0;
      if (depth == 0) return std::string(text_.substr(begin, at_++ - begin));
    }
    fail(ErrorKind::data, "braces are not closed");
  }

  void command() {
    ++at_;
    const char first = peek(0);
    if (!is_letter(first)) {
      if (first == '\0') fail(ErrorKind::data, "a backslash at the end");
      ++at_;
      depth_ += first == '{' ? 1 : first == '}' ? -1 : 0;
      if (first == '|') return add(Token::Kind::sign, "|");
      return add(Token::Kind::sign, std::string("\\") + first);
    }
    const std::size_t begin = at_;
    while (is_letter(peek(0))) ++at_;
    std::string name(text_.substr(begin, at_ - begin));
    if (name == "operatorname" && peek(0) == '*') ++at_;
    if (contains(unreadable, name)) fail(ErrorKind::data, "\\{} is not computed", name);
    if (contains(texts, name)) return spelled(trimmed(braced()));
    if (contains(bold, name)) return add(Token::Kind::letter, trimmed(braced()));
    if (contains(accents, name)) return add(Token::Kind::letter, name + "{" + trimmed(braced()) + "}");
    if (name == "begin" || name == "end") name += ":" + braced();
    add(Token::Kind::command, std::move(name));
  }

  void spelled(std::string text) {
    if (text.empty()) return;
    if (is_function(text)) return add(Token::Kind::command, std::move(text));
    const std::string plain = lower(text);
    if (measure(plain)) return;
    if (plain == "or" || plain == "and") return add(Token::Kind::sign, ",");
    if (text.size() == 1 && is_letter(text[0])) return add(Token::Kind::text, std::move(text));
    add(Token::Kind::text, plain);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool space_ = false;
  std::vector<Token> tokens_;
};

bool ends_value(const Token& token) {
  return token.kind == Token::Kind::number || token.kind == Token::Kind::letter || token.is(")") || token.is("}") ||
         token.is_command("pi");
}

bool is_unit(const Token& token) {
  if (token.kind == Token::Kind::text) return true;
  if (token.kind != Token::Kind::word) return false;
  return token.text.size() >= 4 || contains(units, lower(token.text));
}

std::string singular(std::string unit) {
  unit = lower(unit);
  if (unit.size() > 3 && unit.back() == 's') unit.pop_back();
  return unit;
}

}  // namespace

bool is_function(std::string_view name) { return contains(functions, name); }

std::vector<Token> tokens_of(std::string_view text) { return Lexer(text).run(); }

std::string take_unit(std::vector<Token>& tokens) {
  std::size_t end = tokens.size() - 1;  // the end token's place
  if (end >= 2 && (tokens[end - 1].is("%") || tokens[end - 1].is_command("degree"))) {
    const std::string unit = tokens[end - 1].text;
    tokens.erase(tokens.end() - 2);
    return unit;
  }
  std::string power;
  if (end >= 4 && tokens[end - 1].kind == Token::Kind::number && tokens[end - 2].is("^") && is_unit(tokens[end - 3])) {
    power = "^" + tokens[end - 1].text;
    end -= 2;
  }
  std::size_t begin = end;
  while (begin > 0 && is_unit(tokens[begin - 1])) --begin;
  if (begin == end || begin == 0 || !ends_value(tokens[begin - 1])) return {};
  std::string unit;
  for (std::size_t i = begin; i < end; ++i) unit += (i == begin ? "" : " ") + singular(tokens[i].text);
  tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(begin), tokens.end() - 1);
  return unit + power;
}

}  // namespace hone::math
