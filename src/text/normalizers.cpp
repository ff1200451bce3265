#include "text/normalizers.h"

#include "text/byte_alphabet.h"
#include "text/unicode_classes.h"

#include <algorithm>

namespace hone {

void prepend(AlignedText& text, std::string_view prefix) {
  if (text.text().empty() || prefix.empty()) return;
  TextRewrite rewrite(text);
  int change = 0;
  for (std::size_t at = 0; at < prefix.size(); change = 1) rewrite.put(next_code_point(prefix, at), change);
  std::size_t at = 0;
  rewrite.put(next_code_point(text.text(), at), 1);
  rewrite.copy(text.text().size() - at);
  rewrite.finish();
}

void LowercaseNormalizer::normalize(AlignedText& text) const {
  TextRewrite rewrite(text);
  while (rewrite.at() < text.text().size()) {
    std::size_t at = rewrite.at();
    const char32_t point = next_code_point(text.text(), at);
    rewrite.put(lower_case(point), 0);
    if (point == 0x130) rewrite.put(0x307, 1);
  }
  rewrite.finish();
}

void StripNormalizer::normalize(AlignedText& text) const {
  const std::string& in = text.text();
  std::size_t begin = 0;
  while (left_ && begin < in.size()) {
    std::size_t at = begin;
    if (!is_white_space(next_code_point(in, at))) break;
    begin = at;
  }
  std::size_t end = in.size();
  while (right_ && end > begin) {
    std::size_t at = end - 1;
    while ((static_cast<unsigned char>(in[at]) & 0xC0) == 0x80) --at;
    std::size_t after = at;
    if (!is_white_space(next_code_point(in, after))) break;
    end = at;
  }
  text.keep(begin, end);
}

void StripAccentsNormalizer::normalize(AlignedText& text) const {
  map_points(text,
             [](char32_t point) { return char_class(point).is_accent() ? std::nullopt : std::optional(point); });
}

void NmtNormalizer::normalize(AlignedText& text) const {
  map_points(text, [](char32_t point) -> std::optional<char32_t> {
    if ((point >= 0x01 && point <= 0x08) || point == 0x0B || (point >= 0x0E && point <= 0x1F) || point == 0x7F ||
        point == 0x8F || point == 0x9F) {
      return std::nullopt;
    }
    const bool space = point == 0x09 || point == 0x0A || point == 0x0C || point == 0x0D || point == 0x1680 ||
                       (point >= 0x200B && point <= 0x200F) || point == 0x2028 || point == 0x2029 ||
                       point == 0x2581 || point == 0xFEFF || point == 0xFFFD;
    return space ? U' ' : point;
  });
}

void ByteLevelNormalizer::normalize(AlignedText& text) const {
  const std::string in = text.text();
  TextRewrite rewrite(text);
  for (std::size_t at = 0; at < in.size();) {
    const std::size_t begin = at;
    next_code_point(in, at);
    for (std::size_t i = begin; i < at; ++i) rewrite.put(byte_character(in[i]), i > begin ? 1 : 0);
  }
  rewrite.finish();
}

void SequenceNormalizer::normalize(AlignedText& text) const {
  for (const auto& step : steps_) step->normalize(text);
}

bool SequenceNormalizer::is_surely_normal(std::string_view text) const {
  return std::all_of(steps_.begin(), steps_.end(), [&](const auto& step) { return step->is_surely_normal(text); });
}

}  // namespace hone
