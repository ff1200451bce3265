#include "text/jinja/string_literal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "text/code_points.h"

namespace hone::jinja {

namespace {

class Unescaper {
 public:
  Unescaper(std::string_view text, std::string& problem) : text_(text), problem_(problem) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (text_[at_] != '\\' || at_ + 1 == text_.size()) out_ += text_[at_++];
      else escape();
    }
    return std::move(out_);
  }

 private:
  void escape() {
    const char c = text_[at_ + 1];
    constexpr std::string_view letters = "\\'\"abfnrtv";
    constexpr std::string_view stand_for = "\\'\"\a\b\f\n\r\t\v";
    if (const auto found = letters.find(c); found != letters.npos) {
      out_ += stand_for[found];
      at_ += 2;
    } else if (c == '\n') {
      at_ += 2;
    } else if (c >= '0' && c <= '7') {
      octal();
    } else if (c == 'x') {
      hexadecimal(2);
    } else if (c == 'u') {
      hexadecimal(4);
    } else if (c == 'U') {
      hexadecimal(8);
    } else if (c == 'N') {
      problem_ = "a string holds \\N{…}, which is not supported: write the character itself";
      at_ = text_.size();
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      beyond_ascii();
    } else {
      out_ += '\\';
      out_ += c;
      at_ += 2;
    }
  }

  void octal() {
    std::uint32_t value = 0;
    ++at_;
    for (int digits = 0; digits < 3 && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '7'; ++digits) {
      value = value * 8 + static_cast<std::uint32_t>(text_[at_++] - '0');
    }
    append_utf8(out_, value);
  }

  void hexadecimal(std::size_t digits) {
    const std::string_view number = text_.substr(at_ + 2, digits);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value, 16);
    if (error != std::errc() || number.size() < digits || end != number.data() + digits) {
      problem_ = fmt::format("a string holds \\{} without {} hexadecimal digits", text_[at_ + 1], digits);
    } else if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
      problem_ = fmt::format("a string holds \\{}{}, which is no character", text_[at_ + 1], number);
    } else {
      append_utf8(out_, value);
    }
    at_ = problem_.empty() ? at_ + 2 + digits : text_.size();
  }

  /// Python sees the character as an escape of its own, so the backslash before it makes that escape plain text.
  void beyond_ascii() {
    ++at_;
    const auto point = static_cast<std::uint32_t>(next_code_point(text_, at_));
    if (point < 0x100) out_ += fmt::format("\\x{:02x}", point);
    else if (point < 0x10000) out_ += fmt::format("\\u{:04x}", point);
    else out_ += fmt::format("\\U{:08x}", point);
  }

  std::string_view text_;
  std::string& problem_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string unescaped(std::string_view literal, std::string& problem) { return Unescaper(literal, problem).run(); }

}  // namespace hone::jinja
