#pragma once

#include "text/subword_model.h"
#include "text/token_map.h"

namespace hone {

/// A piece is a token or unknown.
class WordLevelModel final : public SubwordModel {
 public:
  /// `tokens` by id; "": not used.
  WordLevelModel(std::vector<std::string> tokens, std::string unk_token, std::string source)
      : tokens_(std::move(tokens)),
        unk_token_(std::move(unk_token)),
        unknown_(tokens_.id(unk_token_)),
        source_(std::move(source)) {}

  void tokenize(std::string_view piece, std::vector<Subword>& tokens) const override;
  std::optional<std::int32_t> token_to_id(std::string_view token) const override { return tokens_.id(token); }
  std::string id_to_token(std::int32_t id) const override { return tokens_.token(id); }
  std::int32_t vocab_size() const override { return tokens_.size(); }
  std::optional<std::int32_t> unknown_id() const override { return unknown_; }

 private:
  TokenMap tokens_;
  std::string unk_token_;
  std::optional<std::int32_t> unknown_;
  std::string source_;
};

}  // namespace hone
