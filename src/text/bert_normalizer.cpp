#include "text/bert_normalizer.h"

#include "text/code_points.h"
#include "text/normal_forms.h"
#include "text/normalizers.h"
#include "text/unicode_classes.h"

namespace hone {
namespace {

bool is_chinese(char32_t point) {
  return (point >= 0x4E00 && point <= 0x9FFF) || (point >= 0x3400 && point <= 0x4DBF) ||
         (point >= 0x20000 && point <= 0x2A6DF) || (point >= 0x2A700 && point <= 0x2B81F) ||
         (point >= 0x2B920 && point <= 0x2CEAF) || (point >= 0xF900 && point <= 0xFAFF) ||
         (point >= 0x2F800 && point <= 0x2FA1F);
}

}  // namespace

void BertNormalizer::normalize(AlignedText& text) const {
  if (!text.is_aligned() && normalize_at_once(text)) return;
  if (options_.clean_text) {
    map_points(text, [](char32_t point) -> std::optional<char32_t> {
      if (char_class(point).is_bert_control()) return std::nullopt;
      return is_white_space(point) ? U' ' : point;
    });
  }
  if (options_.handle_chinese_chars) {
    TextRewrite rewrite(text);
    for (std::size_t at = 0; at < text.text().size();) {
      const char32_t point = next_code_point(text.text(), at);
      if (is_chinese(point)) {
        rewrite.put(U' ', 0);
        rewrite.put(point, 1);
        rewrite.put(U' ', 1);
      } else {
        rewrite.put(point, 0);
      }
    }
    rewrite.finish();
  }
  if (strip_accents_) {
    NormalFormNormalizer(NormalForm::nfd).normalize(text);
    map_points(text, [](char32_t point) {
      return char_class(point).is_bert_mark() ? std::nullopt : std::optional(point);
    });
  }
  if (options_.lowercase) LowercaseNormalizer().normalize(text);
}

/// All steps on one character after another. False when the order of marks that stay might change: that needs the
/// steps one by one.
bool BertNormalizer::normalize_at_once(AlignedText& text) const {
  const std::string& in = text.text();
  std::string out;
  out.reserve(in.size() + in.size() / 8);
  std::u32string parts;
  for (std::size_t at = 0; at < in.size();) {
    const auto byte = static_cast<unsigned char>(in[at]);
    if (byte >= 0x20 && byte < 0x7F) {
      out += options_.lowercase && byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : in[at];
      ++at;
    } else if (!append(next_code_point(in, at), parts, out)) {
      return false;
    }
  }
  text.assign(out, false, text.place());
  return true;
}

bool BertNormalizer::append(char32_t point, std::u32string& parts, std::string& out) const {
  if (options_.clean_text) {
    if (char_class(point).is_bert_control()) return true;
    if (is_white_space(point)) point = U' ';
  }
  const bool chinese = options_.handle_chinese_chars && is_chinese(point);
  if (chinese) out += ' ';
  parts.clear();
  if (strip_accents_) {
    append_decomposition(point, parts);
  } else {
    parts.push_back(point);
  }
  for (const char32_t part : parts) {
    if (strip_accents_ && char_class(part).is_bert_mark()) continue;
    if (strip_accents_ && combining_class(part) != 0) return false;
    append_utf8(out, options_.lowercase ? lower_case(part) : part);
    if (options_.lowercase && part == 0x130) append_utf8(out, 0x307);
  }
  if (chinese) out += ' ';
  return true;
}

}  // namespace hone
