#pragma once

#include "text/sentencepiece/bpe.h"

#include <memory>
#include <span>

namespace hone {

/// The ids that the sentencepiece library gives for a model, and the text it gives back. Immutable: every method may be
/// called from several threads at once.
class SentencePieceEncoder {
 public:
  /// Error{data} that names `source` for what parse_sentencepiece lets pass: a damaged charsmap, or the algorithms
  /// word and character.
  SentencePieceEncoder(SentencePieceModel model, const std::string& source);
  ~SentencePieceEncoder();
  SentencePieceEncoder(const SentencePieceEncoder&) = delete;
  SentencePieceEncoder& operator=(const SentencePieceEncoder&) = delete;

  const SentencePieceModel& model() const { return model_; }

  /// Ids of any bytes; a byte that is not part of valid UTF-8 counts as U+FFFD. Control pieces never come out.
  std::vector<std::int32_t> encode(std::string_view text) const;
  /// Text of ids, each < the number of pieces: see SentencePieceDecoding.
  std::string decode(std::span<const std::int32_t> ids) const;

 private:
  class Unigram;

  void append(std::string_view text, std::int32_t id, std::vector<std::int32_t>& ids) const;

  SentencePieceModel model_;
  UserDefinedPieces user_defined_;
  SentencePieceNormalization normalization_;
  std::optional<SentencePieceBpe> bpe_;
  std::unique_ptr<Unigram> unigram_;
  std::array<std::int32_t, 256> byte_ids_{};
};

}  // namespace hone
