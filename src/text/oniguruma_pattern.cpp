#include "text/oniguruma_pattern.h"

#include "base/error.h"

namespace hone {
namespace {

/// White_Space of Unicode within a class. PCRE2's own \s has U+180E too.
constexpr std::string_view kWhiteSpace = R"(\x{09}-\x{0D}\x{85}\p{Z})";

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& source) : pattern_(pattern), source_(source) {}

  std::string run() {
    while (at_ < pattern_.size()) step();
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse(std::string_view construct) const {
    fail(ErrorKind::data, "{}: the split pattern {} holds {} at byte {}, which is not supported", source_, pattern_,
         construct, at_ + 1);
  }

  void step() {
    const char c = pattern_[at_];
    if (c == '\\') return escape();
    if (in_class_) {
      if (c == ']' && !class_opens_) in_class_ = false;
      if (c == '[') refuse("a class within a class");
      if (c == '&' && pattern_.substr(at_, 2) == "&&") refuse("an intersection of classes");
      class_opens_ = c == '^' && pattern_[at_ - 1] == '[';
    } else {
      if (c == '^' || c == '$') refuse("an anchor");
      if (c == '.') refuse("a dot");
      if (c == '[') in_class_ = class_opens_ = true;
    }
    result_ += c;
    ++at_;
  }

  void escape() {
    if (at_ + 1 == pattern_.size()) refuse("a lone backslash");
    const char c = pattern_[at_ + 1];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c == 's') {
      result_ += in_class_ ? std::string(kWhiteSpace) : fmt::format("[{}]", kWhiteSpace);
    } else if (c == 'S' && !in_class_) {
      result_ += fmt::format("[^{}]", kWhiteSpace);
    } else if (!letter || std::string_view("pPdDrntfx").find(c) != std::string_view::npos) {
      result_ += pattern_.substr(at_, 2);
    } else {
      refuse(fmt::format("\\{}{}", c, in_class_ ? " in a class" : ""));
    }
    at_ += 2;
    class_opens_ = false;
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
