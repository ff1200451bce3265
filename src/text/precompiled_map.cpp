#include "text/precompiled_map.h"

#include "base/error.h"
#include "base/utf8.h"
#include "text/grapheme_breaks.h"

#include <cstring>

namespace hone {
namespace {

constexpr std::uint32_t kValue = 1u << 31;
constexpr std::uint32_t kEnds = 1u << 8;

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

PrecompiledMap::PrecompiledMap(std::string_view bytes, const std::string& source) {
  std::uint32_t size = 0;
  if (bytes.size() < 4) fail(ErrorKind::data, "{}: the precompiled map has {} bytes", source, bytes.size());
  std::memcpy(&size, bytes.data(), 4);
  if (size % 4 != 0 || size == 0 || size > bytes.size() - 4) {
    fail(ErrorKind::data, "{}: the precompiled map announces a trie of {} bytes, {} follow", source, size,
         bytes.size() - 4);
  }
  units_.resize(size / 4);
  std::memcpy(units_.data(), bytes.data() + 4, size);
  replacements_ = bytes.substr(4 + size);
  check(source);
  for (unsigned byte = 0; byte < 128; ++byte) {
    const char character = static_cast<char>(byte);
    changes_[byte] = longest({&character, 1}).has_value();
  }
}

void PrecompiledMap::check(const std::string& source) const {
  if (first_invalid_utf8(replacements_) != std::string_view::npos) {
    fail(ErrorKind::data, "{}: the replacements of the precompiled map are not valid UTF-8", source);
  }
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const std::uint32_t unit = units_[i];
    if ((unit & kValue) != 0 || (unit & kEnds) == 0) continue;
    const std::size_t target = i ^ offset(unit);
    if (target >= units_.size()) {
      fail(ErrorKind::data, "{}: unit {} of the precompiled map leads to unit {} of {}", source, i, target,
           units_.size());
    }
    const std::uint32_t value = units_[target] & ~kValue;
    if (value >= replacements_.size() || is_continuation(replacements_[value])) {
      fail(ErrorKind::data, "{}: unit {} of the precompiled map asks for the replacement at byte {} of {}", source, i,
           value, replacements_.size());
    }
  }
}

std::string_view PrecompiledMap::replacement(std::uint32_t value) const {
  const std::string_view rest = std::string_view(replacements_).substr(value);
  return rest.substr(0, rest.find('\0'));
}

template <class Visit>
void PrecompiledMap::prefixes(std::string_view text, const Visit& visit) const {
  std::size_t at = offset(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    at ^= byte;
    if (byte == 0 || at >= units_.size()) return;
    const std::uint32_t unit = units_[at];
    if ((unit & (kValue | 0xFF)) != byte) return;
    at ^= offset(unit);
    if ((unit & kEnds) != 0 && !visit(i + 1, units_[at] & ~kValue)) return;
  }
}

std::optional<PrecompiledMap::Match> PrecompiledMap::longest(std::string_view text) const {
  std::optional<Match> match;
  prefixes(text, [&](std::size_t length, std::uint32_t value) {
    match = {length, {}};
    match->replacement = replacement(value);
    return true;
  });
  return match;
}

std::optional<PrecompiledMap::Match> PrecompiledMap::shortest(std::string_view text) const {
  std::optional<Match> match;
  prefixes(text, [&](std::size_t length, std::uint32_t value) {
    match = {length, replacement(value)};
    return false;
  });
  return match;
}

bool PrecompiledMap::may_change(unsigned char ascii, unsigned char next) const {
  if (changes_[ascii]) return true;
  std::size_t at = offset(units_[0]) ^ ascii;
  if (at >= units_.size() || (units_[at] & (kValue | 0xFF)) != ascii) return false;
  at ^= offset(units_[at]) ^ next;
  return at < units_.size() && (units_[at] & (kValue | 0xFF)) == next;
}

bool PrecompiledNormalizer::is_surely_normal(std::string_view text) const {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || byte == '\r' || map_.changes(byte)) return false;
  }
  return true;
}

void PrecompiledNormalizer::normalize(AlignedText& text) const {
  const std::string old = text.text();
  const std::string_view rest = old;
  TextRewrite rewrite(text);
  const auto is_plain = [&](std::size_t i) { return static_cast<unsigned char>(old[i]) < 0x80 && old[i] != '\r'; };
  std::size_t kept = 0;  // bytes before `at` that are to be copied
  std::size_t at = 0;
  const auto replace = [&](std::size_t length, std::string_view replacement) {
    rewrite.copy(kept);
    rewrite.replace(length, replacement);
    kept = 0;
    at += length;
  };
  while (at < old.size()) {
    const bool alone = is_plain(at) && (at + 1 == old.size() || is_plain(at + 1) || old[at + 1] == '\r');
    if (alone && !map_.changes(static_cast<unsigned char>(old[at]))) {
      ++kept, ++at;
      continue;
    }
    const std::size_t end = alone ? at + 1 : grapheme_end(old, at);
    const auto whole = end - at < 6 ? map_.shortest(rest.substr(at, end - at)) : std::nullopt;
    if (whole) {
      replace(end - at, whole->replacement);
      continue;
    }
    while (at < end) {
      std::size_t next = at + 1;
      while (next < end && is_continuation(old[next])) ++next;
      if (const auto match = map_.shortest(rest.substr(at, next - at))) {
        replace(next - at, match->replacement);
      } else {
        kept += next - at;
        at = next;
      }
    }
  }
  rewrite.copy(kept);
  rewrite.finish();
}

}  // namespace hone
