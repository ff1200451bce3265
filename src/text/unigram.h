#pragma once

#include "text/subword_model.h"
#include "text/unigram_trie.h"

namespace hone {

/// A vocabulary with a log-probability for each token.
struct UnigramSpec {
  std::vector<std::string> tokens;
  std::vector<double> scores;
  std::optional<std::int32_t> unknown;
  bool byte_fallback = false;  ///< what the vocabulary lacks becomes the tokens <0x00> to <0xFF> of its bytes
};

/// Unigram (Kudo 2018, arXiv:1804.10959): of all ways to cut a piece into tokens, the one with the greatest sum of
/// scores, by Viterbi's algorithm. A character that is no token may be cut out as unknown, at the least score of the
/// vocabulary minus 10; neighbouring unknown characters become one token. Of equal sums the one found first stands,
/// going through the piece from the left and through tokens from short to long, as in the tokenizers library.
///
/// Time is linear in the piece, times the length of the longest token.
class UnigramModel final : public SubwordModel {
 public:
  /// Error{data} that names `source` when there are no tokens, not as many scores, a score that is not a number or an
  /// `unknown` outside the vocabulary.
  UnigramModel(UnigramSpec spec, const std::string& source);

  void tokenize(std::string_view piece, std::vector<Subword>& tokens) const override;
  std::optional<std::int32_t> token_to_id(std::string_view token) const override;
  std::string id_to_token(std::int32_t id) const override;
  std::int32_t vocab_size() const override { return static_cast<std::int32_t>(spec_.tokens.size()); }
  std::optional<std::int32_t> unknown_id() const override { return spec_.unknown; }

  const UnigramSpec& spec() const { return spec_; }

 private:
  /// The best way to reach a place in the piece.
  struct Place {
    double score;
    std::int32_t id;
    std::uint32_t begin;  ///< where its last token begins; kUnreached
  };
  static constexpr std::uint32_t kUnreached = UINT32_MAX;

  void search(std::string_view piece, Place* places) const;
  void append(std::string_view piece, const Place* places, std::vector<Subword>& tokens) const;
  void append_run(std::string_view piece, Subword run, std::vector<Subword>& tokens) const;

  UnigramSpec spec_;
  UnigramTrie trie_;
  double unknown_score_ = 0;
  std::vector<std::int32_t> byte_ids_;  ///< of 256 bytes, -1: not in the vocabulary
};

}  // namespace hone
