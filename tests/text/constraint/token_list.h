#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "text/tokenizer.h"

namespace hone::test {

/// A vocabulary that is a list of byte strings; the last id may be special and end sequences.
class TokenList : public Tokenizer {
 public:
  explicit TokenList(std::vector<std::string> tokens, bool with_end = true)
      : tokens_(std::move(tokens)), with_end_(with_end) {
    if (with_end_) tokens_.push_back("<end>");
  }
  /// Every single byte, then these.
  static TokenList with_bytes(const std::vector<std::string>& more) {
    std::vector<std::string> tokens;
    for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
    tokens.insert(tokens.end(), more.begin(), more.end());
    return TokenList(std::move(tokens));
  }

  std::vector<std::int32_t> encode(std::string_view, AddSpecial, SpecialTokens) const override { not_needed(); }
  std::string_view id_to_bytes(std::int32_t id) const override { return tokens_.at(static_cast<std::size_t>(id)); }
  std::optional<std::int32_t> token_to_id(std::string_view token) const override {
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (tokens_[id] == token) return static_cast<std::int32_t>(id);
    }
    return std::nullopt;
  }
  std::string id_to_token(std::int32_t id) const override { return std::string(id_to_bytes(id)); }
  std::int32_t vocab_size() const override { return static_cast<std::int32_t>(tokens_.size()); }
  std::optional<std::int32_t> bos_id() const override { return std::nullopt; }
  std::optional<std::int32_t> eos_id() const override {
    return with_end_ ? std::optional<std::int32_t>(vocab_size() - 1) : std::nullopt;
  }
  std::optional<std::int32_t> pad_id() const override { return std::nullopt; }
  bool is_special(std::int32_t id) const override { return with_end_ && id + 1 == vocab_size(); }
  std::vector<SpecialToken> special_tokens() const override { return {}; }
  void save(const std::filesystem::path&) const override { not_needed(); }

 private:
  [[noreturn]] static void not_needed() { fail(ErrorKind::internal, "this tokenizer of the tests is only a list"); }
  std::vector<std::string> tokens_;
  bool with_end_;
};

}  // namespace hone::test
