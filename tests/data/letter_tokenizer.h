#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "text/tokenizer.h"

namespace hone::test {

/// One id a byte (its value); end 300 and, if wanted, start 301, which `encode` adds where asked or only knows of.
class LetterTokenizer : public Tokenizer {
 public:
  struct Specials {
    bool start = false;
    bool start_known = false;
    bool end = true;
  };
  static constexpr std::int32_t eos = 300;
  static constexpr std::int32_t bos = 301;

  LetterTokenizer() = default;
  explicit LetterTokenizer(Specials specials) : specials_(specials) {}

  std::vector<std::int32_t> encode(std::string_view text, AddSpecial add = AddSpecial::no,
                                   SpecialTokens = SpecialTokens::as_text) const override {
    std::vector<std::int32_t> ids;
    if (add == AddSpecial::yes && specials_.start) ids.push_back(bos);
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }
  std::string_view id_to_bytes(std::int32_t) const override { return {}; }
  std::optional<std::int32_t> token_to_id(std::string_view) const override { return std::nullopt; }
  std::string id_to_token(std::int32_t) const override { return {}; }
  std::int32_t vocab_size() const override { return 302; }
  std::optional<std::int32_t> bos_id() const override {
    return specials_.start || specials_.start_known ? std::optional(bos) : std::nullopt;
  }
  std::optional<std::int32_t> eos_id() const override { return specials_.end ? std::optional(eos) : std::nullopt; }
  std::optional<std::int32_t> pad_id() const override { return std::nullopt; }
  bool is_special(std::int32_t id) const override { return id >= eos; }
  std::vector<SpecialToken> special_tokens() const override { return {}; }
  void save(const std::filesystem::path&) const override { HONE_ASSERT(false && "only encodes"); }

 private:
  Specials specials_;
};

}  // namespace hone::test
