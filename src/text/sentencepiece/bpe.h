#pragma once

#include "text/pair_table.h"
#include "text/sentencepiece/model.h"
#include "text/sentencepiece/normalization.h"

#include <array>
#include <unordered_map>

namespace hone {

/// BPE as SentencePiece does it: starting from characters, the neighbours whose union is the piece of the greatest
/// score (the leftmost of equals) are joined, until no union is a piece. Pieces of type unused are taken apart again.
///
/// Text is first cut where no piece can reach across, at a ▁ behind another character as a rule. A short cut is merged
/// by scanning, a long one with a heap, and a cut that a long text repeats is merged once.
class SentencePieceBpe {
 public:
  /// Both must outlive it.
  SentencePieceBpe(const SentencePieceModel& model, const UserDefinedPieces& user_defined);

  /// A piece of normalized text.
  struct Symbol {
    std::int32_t id;     ///< -1: not in the vocabulary
    std::uint32_t size;  ///< in bytes
  };
  /// Appends the symbols of normalized text, which together are the text.
  void encode(std::string_view text, std::vector<Symbol>& symbols) const;

 private:
  /// Parts of unused pieces, as they were last joined.
  using Joined = std::unordered_map<std::int32_t, std::pair<Symbol, Symbol>>;

  static std::vector<std::string> mergeable(const SentencePieceModel& model);
  void add_merges();
  std::size_t cut(std::string_view text) const;
  void encode_cut(std::string_view text, std::vector<Symbol>& symbols) const;
  void split(std::string_view text, std::vector<Symbol>& symbols) const;
  void merge_short(std::vector<Symbol>& symbols, std::size_t first) const;
  void merge_long(std::vector<Symbol>& symbols, std::size_t first) const;
  void append(Symbol symbol, const Joined& joined, std::vector<Symbol>& symbols) const;
  bool is_unused(std::int32_t id) const;

  const SentencePieceModel& model_;
  const UserDefinedPieces& user_defined_;
  std::vector<std::string> texts_;  ///< of what merging works on: pieces by id, then characters that are only parts
  ByteMap ids_;
  PairTable merges_;
  std::unordered_map<std::string_view, std::int32_t> user_defined_ids_;
  std::array<std::int32_t, 128> ascii_ids_{};
  bool has_unused_ = false;
  bool cuts_at_marks_ = true;
};

}  // namespace hone
