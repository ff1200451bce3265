#pragma once

#include "text/precompiled_map.h"
#include "text/sentencepiece/model.h"
#include "text/unigram_trie.h"

namespace hone {

/// The user-defined pieces of a model: text that spells one is never rewritten, cut or joined.
class UserDefinedPieces {
 public:
  explicit UserDefinedPieces(const SentencePieceModel& model);

  bool empty() const { return empty_; }
  /// Length of the longest one that `text` opens with, 0: none.
  std::size_t match(std::string_view text) const;

 private:
  bool empty_;
  UnigramTrie trie_;
};

/// Text as SentencePiece cuts it: rewritten by the charsmap, white space tidied and marked by ▁, a mark put before the
/// text (or behind it). Each byte that is not part of valid UTF-8 becomes U+FFFD.
class SentencePieceNormalization {
 public:
  /// Both must outlive it.
  SentencePieceNormalization(const SentencePieceModel& model, const UserDefinedPieces& user_defined,
                             const std::string& source);

  std::string apply(std::string_view text) const;

 private:
  struct Step {
    std::size_t length;     ///< of what is read
    std::string_view text;  ///< what stands for it
  };
  Step step(std::string_view text) const;
  void append(std::string_view text, std::string& normalized) const;

  const SentencePieceModel& model_;
  const UserDefinedPieces& user_defined_;
  std::optional<PrecompiledMap> map_;
  std::string_view space_;
};

}  // namespace hone
