#include "text/known_splits.h"

#include "text/code_points.h"
#include "text/split_patterns.h"
#include "text/unicode_classes.h"

#include <array>
#include <cstdint>

namespace hone {
namespace {

enum class Kind : std::uint8_t { other, letter, number, space, line_end };

constexpr Kind ascii_kind(int c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return Kind::letter;
  if (c >= '0' && c <= '9') return Kind::number;
  if (c == '\n' || c == '\r') return Kind::line_end;
  return c == ' ' || (c >= 0x09 && c <= 0x0D) ? Kind::space : Kind::other;
}

constexpr std::array<Kind, 128> kAscii = [] {
  std::array<Kind, 128> kinds{};
  for (int c = 0; c < 128; ++c) kinds[static_cast<std::size_t>(c)] = ascii_kind(c);
  return kinds;
}();

Kind kind_of(char32_t point) {
  const CharClass c = char_class(point);
  if (c.is_letter()) return Kind::letter;
  if (c.is_number()) return Kind::number;
  return is_white_space(point) ? Kind::space : Kind::other;
}

/// Walks over text[at, end).
class Scanner {
 public:
  Scanner(KnownSplit split, std::string_view text, std::size_t end)
      : old_(split == KnownSplit::gpt2), digits_(split == KnownSplit::qwen2 ? 1 : 3), text_(text), end_(end) {}

  /// Where the match that begins at `at` ends.
  std::size_t match(std::size_t at) const {
    if (text_[at] == '\'') {
      if (const std::size_t after = contraction(at); after != at) return after;
    }
    std::size_t next = at;
    const Kind kind = step(next);
    if (kind == Kind::letter) return run(Kind::letter, next);
    if (kind == Kind::number) return old_ ? run(Kind::number, next) : number(next);
    if (next < end_) {
      if (const std::size_t after = with_opening(at, kind, next); after != at) return after;
    }
    if (kind == Kind::other) return others(next);
    return spaces(at);
  }

 private:
  /// The kind of the character at `at`; moves behind it.
  Kind step(std::size_t& at) const {
    const auto byte = static_cast<unsigned char>(text_[at]);
    if (byte < 0x80) {
      ++at;
      return kAscii[byte];
    }
    return kind_of(next_code_point(text_, at));
  }

  std::size_t run(Kind kind, std::size_t at) const {
    while (at < end_) {
      std::size_t next = at;
      if (step(next) != kind) break;
      at = next;
    }
    return at;
  }

  std::size_t number(std::size_t at) const {
    for (int count = 1; count < digits_ && at < end_; ++count) {
      std::size_t next = at;
      if (step(next) != Kind::number) break;
      at = next;
    }
    return at;
  }

  std::size_t others(std::size_t at) const {
    at = run(Kind::other, at);
    return old_ ? at : run(Kind::line_end, at);
  }

  /// A match whose first character, which ends at `next`, only opens it; `at` when there is none.
  std::size_t with_opening(std::size_t at, Kind kind, std::size_t next) const {
    const bool plain_space = text_[at] == ' ';
    if (old_ && !plain_space) return at;
    std::size_t after = next;
    const Kind second = step(after);
    if (second == Kind::letter && kind != Kind::line_end) return run(Kind::letter, after);
    if (plain_space && second == Kind::other) return others(after);
    if (plain_space && old_ && second == Kind::number) return run(Kind::number, after);
    return at;
  }

  std::size_t spaces(std::size_t at) const {
    std::size_t end = at, last = at, after_line_end = at;  // `last`: where the last character begins
    while (end < end_) {
      std::size_t next = end;
      const Kind kind = step(next);
      if (kind != Kind::space && kind != Kind::line_end) break;
      last = end;
      end = next;
      if (kind == Kind::line_end) after_line_end = end;
    }
    if (!old_ && after_line_end != at) return after_line_end;
    return end == end_ || last == at ? end : last;
  }

  std::size_t contraction(std::size_t at) const {
    const auto letter = [&](std::size_t place) -> char {
      if (place >= end_) return 0;
      const char c = text_[place];
      return !old_ && c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    const char first = letter(at + 1), second = letter(at + 2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) {
      return at + 3;
    }
    const bool long_s = !old_ && text_.substr(at + 1, 2) == "\u017f" && at + 3 <= end_;  // an s, without regard to case
    return long_s ? at + 3 : at;
  }

  bool old_;
  int digits_;
  std::string_view text_;
  std::size_t end_;
};

}  // namespace

std::optional<KnownSplit> known_split(std::string_view pattern) {
  if (pattern == kGpt2Split) return KnownSplit::gpt2;
  if (pattern == kLlama3Split) return KnownSplit::llama3;
  if (pattern == kQwen2Split) return KnownSplit::qwen2;
  return std::nullopt;
}

void find_known(KnownSplit split, std::string_view text, TextRange range, std::vector<TextRange>& matches) {
  const Scanner scanner(split, text, range.end);
  for (std::size_t at = range.begin; at < range.end;) {
    const std::size_t end = scanner.match(at);
    matches.push_back({at, end});
    at = end;
  }
}

}  // namespace hone
