#pragma once

#include "text/subword_model.h"
#include "text/token_map.h"

namespace hone {

struct WordPieceSpec {
  std::vector<std::string> tokens;  ///< by id; "": not used
  std::string unk_token = "[UNK]";
  std::string continuing_subword_prefix = "##";
  std::int64_t max_input_chars_per_word = 100;
};

/// WordPiece (Wu et al. 2016, arXiv:1609.08144, as in BERT): the longest token that the word opens with, then the
/// longest of those that open with the prefix, and so on; the whole word is unknown when a part is.
class WordPieceModel final : public SubwordModel {
 public:
  WordPieceModel(WordPieceSpec spec, const std::string& source);

  void tokenize(std::string_view piece, std::vector<Subword>& tokens) const override;
  std::optional<std::int32_t> token_to_id(std::string_view token) const override { return tokens_.id(token); }
  std::string id_to_token(std::int32_t id) const override { return tokens_.token(id); }
  std::int32_t vocab_size() const override { return tokens_.size(); }
  std::optional<std::int32_t> unknown_id() const override { return unknown_; }

 private:
  std::int32_t longest(const TokenMap& tokens, std::string_view text, std::size_t bound, std::size_t& length) const;

  TokenMap tokens_;
  TokenMap continuing_;  ///< without the prefix
  std::size_t longest_token_ = 0, longest_continuing_ = 0;  ///< in bytes
  std::size_t most_characters_;
  std::string unk_token_;
  std::optional<std::int32_t> unknown_;
  std::string source_;
};

}  // namespace hone
