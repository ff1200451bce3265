#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "text/tokenizer.h"

namespace hone::test {

/// A vocabulary of `size` ids without special tokens but the end of sequence; id i is spelled by the i-th of the
/// characters from '0' on.
class NumberTokenizer : public Tokenizer {
 public:
  NumberTokenizer(std::int32_t size, std::int32_t eos) : eos_(eos) {
    for (std::int32_t id = 0; id < size; ++id) spelling_.emplace_back(1, static_cast<char>('0' + id));
  }
  std::vector<std::int32_t> encode(std::string_view text, AddSpecial, SpecialTokens) const override {
    std::vector<std::int32_t> ids;
    for (const char c : text) ids.push_back(c - '0');
    return ids;
  }
  std::string_view id_to_bytes(std::int32_t id) const override {
    return id < vocab_size() ? std::string_view(spelling_[static_cast<std::size_t>(id)]) : std::string_view();
  }
  std::optional<std::int32_t> token_to_id(std::string_view token) const override { return token[0] - '0'; }
  std::string id_to_token(std::int32_t id) const override { return std::string(id_to_bytes(id)); }
  std::int32_t vocab_size() const override { return static_cast<std::int32_t>(spelling_.size()); }
  std::optional<std::int32_t> bos_id() const override { return std::nullopt; }
  std::optional<std::int32_t> eos_id() const override { return eos_; }
  std::optional<std::int32_t> pad_id() const override { return std::nullopt; }
  bool is_special(std::int32_t id) const override { return id == eos_; }
  std::vector<SpecialToken> special_tokens() const override { return {{eos_, id_to_token(eos_)}}; }
  void save(const std::filesystem::path&) const override { fail(ErrorKind::internal, "never written"); }

 private:
  std::int32_t eos_;
  std::vector<std::string> spelling_;
};

}  // namespace hone::test
