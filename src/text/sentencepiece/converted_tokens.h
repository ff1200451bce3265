#pragma once

#include "text/sentencepiece/model.h"
#include "text/tokenizer_json_fields.h"

#include <map>

namespace hone {

/// The added tokens of a converted tokenizer, in the order in which transformers adds them: those of
/// added_tokens_decoder, named ones (bos_token and so on), then additional_special_tokens or, without these, control
/// and user-defined pieces. What the vocabulary has keeps its id; others get the next free ones.
class ConvertedTokens {
 public:
  using Names = std::vector<std::pair<std::string, std::string>>;  ///< key in the config, the class's default

  /// `sentinels` come behind the pieces; they are special unless the config lists its own additional tokens.
  ConvertedTokens(const SentencePieceModel& model, const JsonField& config, const Names& defaults,
                  const std::vector<std::string>& sentinels);

  /// `added_tokens` of tokenizer.json.
  Json added() const;
  /// The spelling of a named token; it exists.
  const std::string& named(const std::string& key) const { return named_.at(key); }
  std::int64_t id_of(const std::string& token) const;

 private:
  struct Token {
    std::string text;
    bool lstrip = false;
    bool rstrip = false;
    bool single_word = false;
    bool normalized = false;
    bool special = true;
  };
  static Token read(const JsonField& field, bool special);
  void add(const Token& token);
  void add_decoder(const JsonField& decoder);

  std::map<std::string, std::int64_t, std::less<>> vocabulary_;  ///< pieces, sentinels and added tokens
  std::map<std::int64_t, Token> added_;
  std::map<std::string, std::string> named_;
};

}  // namespace hone
