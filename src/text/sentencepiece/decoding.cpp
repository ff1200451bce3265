#include "text/sentencepiece/decoding.h"

#include "base/utf8.h"

#include <algorithm>

namespace hone {
namespace {

using PieceType = SentencePieceModel::PieceType;

/// These bytes may be the beginning of a character.
bool may_continue(std::string_view bytes) {
  if (bytes.size() >= 4) return false;
  std::string character(bytes);
  const auto lead = static_cast<unsigned char>(bytes[0]);
  const std::size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
  if (length <= bytes.size()) return false;
  // The second byte alone tells whether the rest can be valid; a later one may be any continuation.
  if (bytes.size() == 1) return true;
  character.append(length - bytes.size(), '\x80');
  return first_invalid_utf8(character) == std::string_view::npos;
}

}  // namespace

/// Moves whole characters out of the bytes, and with `all` the broken rest.
void SentencePieceDecoding::take_bytes(bool all, std::string& text) {
  while (!bytes_.empty()) {
    const std::size_t good = std::min(first_invalid_utf8(bytes_), bytes_.size());
    text.append(bytes_, 0, good);
    bytes_.erase(0, good);
    if (bytes_.empty() || (!all && may_continue(bytes_))) break;
    text += "\xEF\xBF\xBD";  // one for each broken byte
    bytes_.erase(0, 1);
  }
  if (!text.empty()) has_text_ = true;
}

std::string SentencePieceDecoding::surface(const SentencePieceModel::Piece& piece) {
  dropped_space_ = false;
  if (piece.type == PieceType::control) return spell_control_ ? piece.text : "";
  if (piece.type == PieceType::unknown) return model_.unknown_surface;
  std::string_view text = piece.text;
  if (at_start_ && (model_.add_dummy_prefix || model_.remove_extra_whitespaces) && text.starts_with(kSpaceMark)) {
    text.remove_prefix(kSpaceMark.size());
    dropped_space_ = !model_.remove_extra_whitespaces;
  }
  std::string result;
  for (std::size_t mark; (mark = text.find(kSpaceMark)) != std::string_view::npos;) {
    result.append(text.substr(0, mark)).append(" ");
    text.remove_prefix(mark + kSpaceMark.size());
  }
  return result.append(text);
}

std::string SentencePieceDecoding::push(std::int32_t id) {
  const auto& piece = model_.pieces[static_cast<std::size_t>(id)];
  std::string text;
  if (piece.type == PieceType::byte) {
    bytes_ += static_cast<char>(*byte_of_piece(piece.text));
    take_bytes(false, text);
    return text;
  }
  take_bytes(true, text);
  if (dropped_space_ || has_text_) at_start_ = false;
  const std::string own = surface(piece);
  if (!own.empty() && piece.type != PieceType::control) has_text_ = true;
  return text + own;
}

std::string SentencePieceDecoding::finish() {
  std::string text;
  take_bytes(true, text);
  return text;
}

}  // namespace hone
