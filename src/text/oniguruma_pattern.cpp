#include "text/oniguruma_pattern.h"

#include "base/error.h"
#include "text/pattern_classes.h"

namespace hone {
namespace {

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& source) : pattern_(pattern), source_(source) {}

  std::string run() {
    while (at_ < pattern_.size()) step();
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse(std::string_view construct) const {
    fail(ErrorKind::data, "{}: the pattern {} holds {} at byte {}, which is not supported", source_, pattern_,
         construct, at_ + 1);
  }
  std::string_view rest() const { return pattern_.substr(at_); }

  void step() {
    const char c = pattern_[at_];
    if (c == '\\') return escape();
    if (in_class_) {
      if (c == ']' && !class_opens_) in_class_ = false;
      if (c == '[') refuse("a class within a class");
      if (rest().starts_with("&&")) refuse("an intersection of classes");
      class_opens_ = c == '^' && pattern_[at_ - 1] == '[';
    } else if (c == '[') {
      in_class_ = class_opens_ = true;
    } else if (c == '{') {
      return repetition();
    } else if (c == '(') {
      check_group();
    }
    result_ += c;
    ++at_;
  }

  /// {,n} is {0,n} to Oniguruma; {n}? and {n}+ mean other things than to PCRE2.
  void repetition() {
    const std::size_t close = pattern_.find('}', at_);
    const std::string_view inside = pattern_.substr(at_ + 1, close == std::string_view::npos ? 0 : close - at_ - 1);
    const bool counts = !inside.empty() && inside.find_first_not_of("0123456789,") == std::string_view::npos;
    if (!counts || inside == ",") {
      result_ += "\\{";
      ++at_;
      return;
    }
    const char after = close + 1 < pattern_.size() ? pattern_[close + 1] : '\0';
    if (after == '+' || (after == '?' && inside.find(',') == std::string_view::npos)) refuse("a mark behind a count");
    result_ += inside[0] == ',' ? "{0" : "{";
    result_.append(inside).append("}");
    at_ = close + 1;
  }

  void check_group() const {
    if (!rest().starts_with("(?")) return;
    for (std::size_t i = at_ + 2; i < pattern_.size() && pattern_[i] != ')' && pattern_[i] != ':'; ++i) {
      const char c = pattern_[i];
      if (c != '-' && (c < 'a' || c > 'z')) return;
      if (c == 'm') refuse("the option m");
    }
  }

  void append_class(std::string_view property, bool negated, std::string_view written) {
    const auto inside = pattern_class(property, in_class_ && negated);
    if (!inside) {
      result_ += written;  // a script: by the tables of PCRE2
    } else if (in_class_) {
      result_ += *inside;
    } else {
      result_.append(negated ? "[^" : "[").append(*inside).append("]");
    }
  }

  void property() {
    const std::size_t close = pattern_.find('}', at_);
    if (at_ + 2 >= pattern_.size() || pattern_[at_ + 2] != '{' || close == std::string_view::npos) {
      refuse("a property without braces");
    }
    std::string_view name = pattern_.substr(at_ + 3, close - at_ - 3);
    bool negated = pattern_[at_ + 1] == 'P';
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    append_class(name, negated, fmt::format("\\{}{{{}}}", negated ? 'P' : 'p', name));
    at_ = close + 1;
  }

  void border(bool negated) {
    const std::string word = "[" + *pattern_class("Word", false) + "]";
    result_ += negated ? fmt::format("(?:(?<={0})(?={0})|(?<!{0})(?!{0}))", word)
                       : fmt::format("(?:(?<={0})(?!{0})|(?<!{0})(?={0}))", word);
    at_ += 2;
  }

  void hexadecimal() {
    const std::string_view digits = pattern_.substr(at_ + 2, 4);
    if (digits.size() < 4 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      refuse("\\u without four digits");
    }
    result_ += fmt::format("\\x{{{}}}", digits);
    at_ += 6;
  }

  void escape() {
    if (at_ + 1 == pattern_.size()) refuse("a lone backslash");
    class_opens_ = false;
    const char c = pattern_[at_ + 1];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    switch (c) {
      case 'p': case 'P': return property();
      case 'u': return hexadecimal();
      case 'b': case 'B':
        if (!in_class_) return border(c == 'B');
        refuse("\\b in a class");
      case 's': case 'S': append_class("Space", c == 'S', ""); break;
      case 'w': case 'W': append_class("Word", c == 'W', ""); break;
      case 'd': case 'D': append_class("Nd", c == 'D', ""); break;
      case 'h': result_ += in_class_ ? "0-9a-fA-F" : "[0-9a-fA-F]"; break;
      case 'A': case 'z':
        if (in_class_) refuse(fmt::format("\\{} in a class", c));
        [[fallthrough]];
      case 'r': case 'n': case 't': case 'f': case 'x': result_ += pattern_.substr(at_, 2); break;
      case 'v': result_ += "\\x{0B}"; break;
      case 'a': case 'e': case '0': result_ += pattern_.substr(at_, 2); break;
      default:
        if (letter) refuse(fmt::format("\\{}{}", c, in_class_ ? " in a class" : ""));
        result_ += pattern_.substr(at_, 2);
    }
    at_ += 2;
  }

  std::string_view pattern_;
  const std::string& source_;
  std::size_t at_ = 0;
  bool in_class_ = false;
  bool class_opens_ = false;  // just after `[` or `[^`, where `]` would stand for itself
  std::string result_;
};

}  // namespace

std::string oniguruma_to_pcre2(std::string_view pattern, const std::string& source) {
  return Translator(pattern, source).run();
}

}  // namespace hone
