#include "text/sentencepiece/normalization.h"

#include "base/utf8.h"

namespace hone {
namespace {

/// User-defined pieces by id; the others stay empty.
std::vector<std::string_view> user_defined_texts(const SentencePieceModel& model) {
  std::vector<std::string_view> texts;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    if (piece.type == SentencePieceModel::PieceType::user_defined) texts.push_back(piece.text);
  }
  return texts;
}

/// Bytes of the character that `text` opens with, or 0 when it is not valid UTF-8.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length > text.size() || first_invalid_utf8(text.substr(0, length)) != std::string_view::npos) return 0;
  return length;
}

}  // namespace

UserDefinedPieces::UserDefinedPieces(const SentencePieceModel& model)
    : empty_(user_defined_texts(model).empty()), trie_(user_defined_texts(model)) {}

std::size_t UserDefinedPieces::match(std::string_view text) const {
  std::size_t longest = 0;
  if (!empty_) trie_.prefixes(text, [&](std::size_t length, std::int32_t) { longest = length; });
  return longest;
}

SentencePieceNormalization::SentencePieceNormalization(const SentencePieceModel& model,
                                                       const UserDefinedPieces& user_defined, const std::string& source)
    : model_(model), user_defined_(user_defined), space_(model.escape_whitespaces ? kSpaceMark : " ") {
  if (!model.charsmap.empty()) map_.emplace(model.charsmap, source);
}

SentencePieceNormalization::Step SentencePieceNormalization::step(std::string_view text) const {
  if (const std::size_t length = user_defined_.match(text); length > 0) return {length, text.substr(0, length)};
  const auto first = static_cast<unsigned char>(text[0]);
  const bool plain = map_ && first < 0x80 && !map_->changes(first) &&
                     (text.size() == 1 || !map_->may_change(first, static_cast<unsigned char>(text[1])));
  if (map_ && !plain) {
    if (const auto match = map_->longest(text)) return {match->length, match->replacement};
  }
  const std::size_t length = character_length(text);
  return length == 0 ? Step{1, "\xEF\xBF\xBD"} : Step{length, text.substr(0, length)};
}

void SentencePieceNormalization::append(std::string_view text, std::string& normalized) const {
  for (const char c : text) c == ' ' ? normalized += space_ : normalized += c;
}

std::string SentencePieceNormalization::apply(std::string_view text) const {
  const bool tidy = model_.remove_extra_whitespaces;
  while (tidy && !text.empty()) {
    const Step next = step(text);
    if (next.text != " ") break;
    text.remove_prefix(next.length);
  }
  std::string normalized;
  if (text.empty()) return normalized;
  normalized.reserve(text.size() + text.size() / 2 + 8);
  const bool prefix = model_.add_dummy_prefix && !model_.whitespace_as_suffix;
  if (prefix) normalized += space_;
  bool after_space = tidy;
  while (!text.empty()) {
    Step next = step(text);
    text.remove_prefix(next.length);
    while (after_space && next.text.starts_with(' ')) next.text.remove_prefix(1);
    if (!next.text.empty()) {
      append(next.text, normalized);
      after_space = tidy && next.text.back() == ' ';
    }
  }
  while (tidy && normalized.ends_with(space_)) normalized.resize(normalized.size() - space_.size());
  if (model_.add_dummy_prefix && model_.whitespace_as_suffix) normalized += space_;
  return normalized;
}

}  // namespace hone
