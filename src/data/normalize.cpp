#include "data/normalize.h"

#include "base/error.h"
#include "base/random.h"
#include "text/code_points.h"

namespace hone {

namespace {

bool is_punctuation(char32_t c) {
  if (c < 0x80) return std::u32string_view(U"!\"#%&'()*,-./:;?@[\\]_{}").find(c) != std::u32string_view::npos;
  return std::u32string_view(U"¡§«¶·»¿").find(c) != std::u32string_view::npos || (c >= 0x2010 && c <= 0x2027) ||
         (c >= 0x2030 && c <= 0x205E) || (c >= 0x3001 && c <= 0x3003);
}

char32_t lower_latin_extended_a(char32_t c) {
  if (c == 0x130) return 'i';
  if (c == 0x178) return 0xFF;
  const bool odd_capitals = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
  if (c == 0x138 || c == 0x149 || c == 0x17F) return c;
  return (c % 2 == 1) == odd_capitals ? c + 1 : c;
}

char32_t lower(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  if (c < 0xC0) return c;
  if (c <= 0xDE) return c == 0xD7 ? c : c + 32;
  if (c >= 0x100 && c <= 0x17F) return lower_latin_extended_a(c);
  if (c >= 0x391 && c <= 0x3A9) return c + 32;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}

std::uint64_t text_hash(std::string_view text, std::string_view purpose) {
  return stream_key(stream_key(0, purpose), normalized_text(text));
}

}  // namespace

std::string normalized_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (!is_white_space(c) && !is_punctuation(c)) append_utf8(out, lower(c));
  }
  return out.empty() ? std::string(text) : out;
}

std::uint64_t text_class(std::string_view text, std::string_view purpose, std::uint64_t count) {
  HONE_ASSERT(count > 0);
  return text_hash(text, purpose) % count;
}

double text_share(std::string_view text, std::string_view purpose) {
  return static_cast<double>(text_hash(text, purpose) >> 11) * 0x1p-53;
}

}  // namespace hone
