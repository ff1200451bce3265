#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "io/file.h"
#include "text/tokenizer.h"

namespace hone::test {

/// A vocabulary given as a list of {"id", "bytes_hex"}: turns ids into text, for a model whose prompts are ids.
/// Id 1 begins a sequence and 2 ends it; pieces spelled <0xHH> are that byte.
class PieceTokenizer : public Tokenizer {
 public:
  explicit PieceTokenizer(const std::filesystem::path& file) {
    const Json rows = Json::parse(read_file(file), file.string());
    for (const Json& row : rows.as_array()) {
      std::string bytes = from_hex(row.at("bytes_hex").as_string());
      if (bytes.size() == 6 && bytes.starts_with("<0x")) bytes = from_hex(bytes.substr(3, 2));
      pieces_.push_back(std::move(bytes));
    }
  }

  std::vector<std::int32_t> encode(std::string_view, AddSpecial, SpecialTokens) const override { decodes_only(); }
  std::string_view id_to_bytes(std::int32_t id) const override { return pieces_.at(static_cast<std::size_t>(id)); }
  std::optional<std::int32_t> token_to_id(std::string_view) const override { decodes_only(); }
  std::string id_to_token(std::int32_t id) const override { return std::string(id_to_bytes(id)); }
  std::int32_t vocab_size() const override { return static_cast<std::int32_t>(pieces_.size()); }
  std::optional<std::int32_t> bos_id() const override { return 1; }
  std::optional<std::int32_t> eos_id() const override { return 2; }
  std::optional<std::int32_t> pad_id() const override { return 0; }
  bool is_special(std::int32_t id) const override { return id < 3; }
  std::vector<SpecialToken> special_tokens() const override { return {}; }
  void save(const std::filesystem::path&) const override { decodes_only(); }

 private:
  [[noreturn]] static void decodes_only() { fail(ErrorKind::internal, "this tokenizer of the tests only decodes"); }
  static std::string from_hex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    return bytes;
  }

  std::vector<std::string> pieces_;
};

}  // namespace hone::test
