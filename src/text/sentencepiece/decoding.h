#pragma once

#include "text/sentencepiece/model.h"

namespace hone {

/// Turns ids into text as the sentencepiece library does, one after the other: ▁ is a space again, the one that
/// encoding puts before the text is gone, bytes are joined to characters (U+FFFD for each broken one), an unknown piece
/// is the model's unknown_surface.
class SentencePieceDecoding {
 public:
  /// `model` must outlive it. `spell_control`: a control piece gives its spelling, else nothing.
  SentencePieceDecoding(const SentencePieceModel& model, bool spell_control)
      : model_(model), spell_control_(spell_control) {}

  /// The text that is certain after this id, < the number of pieces.
  std::string push(std::int32_t id);
  /// What broken bytes at the end leave.
  std::string finish();

 private:
  void take_bytes(bool all, std::string& text);
  std::string surface(const SentencePieceModel::Piece& piece);

  const SentencePieceModel& model_;
  bool spell_control_;
  std::string bytes_;           ///< of byte pieces, the beginning of a character
  bool at_start_ = true;        ///< a ▁ here is the one that encoding put there
  bool dropped_space_ = false;  ///< it just went
  bool has_text_ = false;
};

}  // namespace hone
