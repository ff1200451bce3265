#include "text/constraint/regex_parser.h"

#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/utf8.h"
#include "text/code_points.h"
#include "text/constraint/unicode_property.h"

namespace hone {
namespace {

using Kind = RegexNode::Kind;

constexpr int kMostNesting = 200;
constexpr int kMostRepetitions = 10'000;

int hex_value(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

CodePointSet ascii_class(char letter) {
  switch (letter) {
    case 'd': return CodePointSet({{'0', '9'}});
    case 'w': return CodePointSet({{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}});
    default: return CodePointSet({{'\t', '\r'}, {' ', ' '}});
  }
}

RegexNode node_of(CodePointSet set) { return {.kind = Kind::set, .set = std::move(set)}; }
CodePointSet set_of(char32_t point) { return CodePointSet({{point, point}}); }

/// What follows a backslash: one code point, or a class.
struct Escape {
  bool is_class = false;
  char32_t point = 0;
  CodePointSet set;
};

class Parser {
 public:
  explicit Parser(std::string_view pattern) : pattern_(pattern) {}

  RegexNode run() {
    if (const std::size_t bad = first_invalid_utf8(pattern_); bad != std::string_view::npos) {
      fail(ErrorKind::config, "the regular expression is not valid UTF-8 at byte {}", bad + 1);
    }
    RegexNode root = alternatives(0);
    if (!done()) refuse(at_, "a ) that closes no group; write \\) for the character");
    return root;
  }

 private:
  bool done() const { return at_ == pattern_.size(); }
  char peek() const { return pattern_[at_]; }
  bool next_is(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  bool take(std::string_view text) {
    if (!next_is(text)) return false;
    at_ += text.size();
    return true;
  }

  [[noreturn]] void refuse(std::size_t at, std::string_view what) const {
    fail(ErrorKind::config, "the regular expression {} has at byte {} {}", pattern_, at + 1, what);
  }
  [[noreturn]] void not_regular(std::size_t at, std::string_view what) const {
    fail(
        ErrorKind::config,
        "the regular expression {} has at byte {} {}, which constrained generation does not support: write the pattern "
        "with literals, classes, groups, | and quantifiers only",
        pattern_, at + 1, what);
  }

  RegexNode alternatives(int depth) {
    if (depth > kMostNesting) refuse(at_, fmt::format("groups nested deeper than {}", kMostNesting));
    RegexNode any{.kind = Kind::any};
    do any.children.push_back(sequence(depth));
    while (take("|"));
    return any.children.size() == 1 ? std::move(any.children[0]) : any;
  }

  RegexNode sequence(int depth) {
    RegexNode all{.kind = Kind::all};
    if (depth == 0) take("^");
    while (!done() && peek() != '|' && peek() != ')') {
      if (peek() == '$' && depth == 0 && (at_ + 1 == pattern_.size() || pattern_[at_ + 1] == '|')) {
        ++at_;
        break;
      }
      const std::size_t begin = at_;
      RegexNode item = atom(depth);
      all.children.push_back(quantified(std::move(item), begin));
    }
    return all;
  }

  RegexNode atom(int depth) {
    const std::size_t begin = at_;
    switch (peek()) {
      case '(': return group(depth);
      case '[': return node_of(bracket());
      case '\\': {
        Escape escape = escaped();
        return node_of(escape.is_class ? std::move(escape.set) : set_of(escape.point));
      }
      case '.': ++at_; return node_of(set_of('\n').complement());
      case '*':
      case '+':
      case '?': refuse(begin, fmt::format("a {} with nothing before it to repeat", peek()));
      case '^':
      case '$': not_regular(begin, fmt::format("the anchor {} inside the pattern", peek()));
      default: break;
    }
    if (peek() == '{' && counts()) refuse(begin, "a quantifier with nothing before it to repeat");
    return node_of(set_of(next_code_point(pattern_, at_)));
  }

  RegexNode group(int depth) {
    const std::size_t begin = at_++;
    if (next_is("*")) not_regular(begin, "a verb (*…)");
    if (take("?")) group_kind(begin);
    RegexNode inside = alternatives(depth + 1);
    if (!take(")")) refuse(begin, "a ( that is never closed");
    return inside;
  }

  /// What stands behind `(?`; only groups that just group are taken.
  void group_kind(std::size_t begin) {
    if (take(":")) return;
    if (next_is("=") || next_is("<=")) not_regular(begin, next_is("=") ? "a lookahead" : "a lookbehind");
    if (next_is("!") || next_is("<!"))
      not_regular(begin, next_is("!") ? "a negative lookahead" : "a negative lookbehind");
    if (next_is("P=")) not_regular(begin, "a backreference");
    if (next_is("P>") || next_is("R") || next_is("&")) not_regular(begin, "a recursion");
    if (next_is(">")) not_regular(begin, "an atomic group");
    if (next_is("(")) not_regular(begin, "a conditional group");
    if (next_is("|")) not_regular(begin, "a branch reset group");
    if (next_is("#")) not_regular(begin, "a comment");
    if (take("P<") || take("<")) {
      const std::size_t end = pattern_.find('>', at_);
      if (end == std::string_view::npos || end == at_) refuse(begin, "a group whose name is empty or does not end");
      for (; at_ < end; ++at_) {
        const bool letter = (peek() | 0x20) >= 'a' && (peek() | 0x20) <= 'z';
        if (!letter && !is_digit(peek()) && peek() != '_')
          refuse(at_, "a group name with something else than letters, digits and _");
      }
      ++at_;
      return;
    }
    not_regular(begin, "flags or an unknown kind of group");
  }

  struct Counts {
    int least = 0;
    int most = 0;
    std::size_t length = 0;
  };

  /// The quantifier {m}, {m,} or {m,n} that begins here.
  std::optional<Counts> counts() const {
    std::size_t at = at_ + 1;
    const auto number = [&]() -> std::optional<int> {
      if (at == pattern_.size() || !is_digit(pattern_[at])) return std::nullopt;
      int value = 0;
      for (; at < pattern_.size() && is_digit(pattern_[at]); ++at) {
        value = std::min(value * 10 + (pattern_[at] - '0'), kMostRepetitions + 1);
      }
      return value;
    };
    const std::optional<int> least = number();
    std::optional<int> most = least;
    if (at < pattern_.size() && pattern_[at] == ',') {
      ++at;
      most = number();
      if (!least && most && at < pattern_.size() && pattern_[at] == '}') {
        refuse(at_, "the quantifier {,n}, which engines read differently: write {0,n}");
      }
      if (!most) most = RegexNode::kUnbounded;
    }
    if (!least || at == pattern_.size() || pattern_[at] != '}') return std::nullopt;
    return Counts{*least, *most, at + 1 - at_};
  }

  std::optional<Counts> quantifier() const {
    if (next_is("*")) return Counts{0, RegexNode::kUnbounded, 1};
    if (next_is("+")) return Counts{1, RegexNode::kUnbounded, 1};
    if (next_is("?")) return Counts{0, 1, 1};
    if (next_is("{")) return counts();
    return std::nullopt;
  }

  RegexNode quantified(RegexNode item, std::size_t begin) {
    const std::optional<Counts> found = quantifier();
    if (!found) return item;
    if (found->least > kMostRepetitions || (found->most != RegexNode::kUnbounded && found->most > kMostRepetitions)) {
      refuse(at_, fmt::format("a quantifier beyond {} repetitions", kMostRepetitions));
    }
    if (found->least > found->most) refuse(at_, "a quantifier whose least count is greater than its most");
    at_ += found->length;
    if (next_is("+")) not_regular(begin, "a possessive quantifier");
    take("?");  // lazy: the same texts
    if (quantifier()) refuse(at_, "a quantifier behind a quantifier; group what it repeats: (?:…)");
    RegexNode repeat{.kind = Kind::repeat, .least = found->least, .most = found->most};
    repeat.children.push_back(std::move(item));
    return repeat;
  }

  CodePointSet bracket() {
    const std::size_t begin = at_++;
    const bool negated = take("^");
    CodePointSet set;
    bool first = true;
    while (first || !next_is("]")) {
      if (done()) refuse(begin, "a [ that is never closed");
      first = false;
      if (next_is("[:") || next_is("[.") || next_is("[=")) {
        not_regular(at_, "a POSIX class; write \\d, \\w, \\s or \\p{…}");
      }
      Escape low = class_item();
      const bool range = next_is("-") && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']';
      if (!range) {
        set.add(low.is_class ? low.set : set_of(low.point));
        continue;
      }
      const std::size_t dash = at_++;
      const Escape high = class_item();
      if (low.is_class || high.is_class)
        refuse(dash, "a range that begins or ends with a class; write \\- for the character");
      if (high.point < low.point) refuse(dash, "a range whose end comes before its beginning");
      set.add(CodePointSet({{low.point, high.point}}));
    }
    ++at_;
    return negated ? set.complement() : set;
  }

  Escape class_item() {
    if (done()) refuse(at_, "an end within a class");
    if (peek() == '\\') return escaped();
    return {.point = next_code_point(pattern_, at_)};
  }

  Escape escaped() {
    const std::size_t begin = at_++;
    if (done()) refuse(begin, "a backslash with nothing behind it");
    const char c = pattern_[at_];
    switch (c) {
      case 'd':
      case 'w':
      case 's': ++at_; return {.is_class = true, .set = ascii_class(c)};
      case 'D':
      case 'W':
      case 'S': ++at_; return {.is_class = true, .set = ascii_class(static_cast<char>(c | 0x20)).complement()};
      case 'p':
      case 'P': ++at_; return property(begin, c == 'P');
      case 'x':
      case 'u': ++at_; return {.point = hexadecimal(begin, c)};
      case 'n': ++at_; return {.point = '\n'};
      case 't': ++at_; return {.point = '\t'};
      case 'r': ++at_; return {.point = '\r'};
      case 'f': ++at_; return {.point = '\f'};
      case 'v': ++at_; return {.point = '\v'};
      case 'a': ++at_; return {.point = '\a'};
      case 'e': ++at_; return {.point = 0x1B};
      default: break;
    }
    if (c == '0' && (at_ + 1 == pattern_.size() || !is_digit(pattern_[at_ + 1]))) {
      ++at_;
      return {.point = 0};
    }
    if (is_digit(c) || c == 'k' || c == 'g') not_regular(begin, "a backreference");
    if (c == 'b' || c == 'B') not_regular(begin, "a word boundary");
    if (c == 'A' || c == 'z' || c == 'Z' || c == 'G') not_regular(begin, fmt::format("the anchor \\{}", c));
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') not_regular(begin, fmt::format("the escape \\{}", c));
    return {.point = next_code_point(pattern_, at_)};
  }

  char32_t hexadecimal(std::size_t begin, char kind) {
    const bool braces = kind == 'x' && take("{");
    const int most = braces ? 6 : kind == 'x' ? 2 : 4;
    char32_t point = 0;
    int digits = 0;
    for (; digits < most && !done() && hex_value(peek()) >= 0; ++digits) {
      point = point << 4 | static_cast<char32_t>(hex_value(pattern_[at_++]));
    }
    const bool complete = braces ? digits > 0 && take("}") : digits == most;
    if (!complete) refuse(begin, "a broken escape; write \\xHH, \\x{H…} or \\uHHHH");
    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
      refuse(begin, "an escape that is no Unicode character; write those beyond U+FFFF as \\x{1F600}");
    }
    return point;
  }

  Escape property(std::size_t begin, bool negated) {
    std::string_view name;
    if (take("{")) {
      const std::size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos) refuse(begin, "a property that does not end; write \\p{L}");
      name = pattern_.substr(at_, end - at_);
      at_ = end + 1;
    } else if (!done()) {
      name = pattern_.substr(at_++, 1);
    }
    auto found = properties_.find(name);
    if (found == properties_.end()) found = properties_.emplace(name, unicode_property(name)).first;
    return {.is_class = true, .set = negated ? found->second.complement() : found->second};
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  std::map<std::string_view, CodePointSet> properties_;
};

}  // namespace

RegexNode parse_regex(std::string_view pattern) { return Parser(pattern).run(); }

}  // namespace hone
