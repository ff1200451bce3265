#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// How text that spells a special token is read. `as_text` is for everything that users, data or models wrote: the
/// spelling stays text and can never forge a turn or an end. `parse` is for strings that a template rendered.
enum class SpecialTokens { as_text, parse };
/// Whether `encode` adds what the tokenizer's post-processor says (Llama 3: the bos token first).
enum class AddSpecial { no, yes };
/// Whether `decode` leaves special tokens out.
enum class SkipSpecial { no, yes };

struct SpecialToken {
  std::int32_t id = 0;
  std::string text;
};

/// Text to token ids and back. Immutable once made: every method may be called from several threads at once.
/// decode(encode(text)) == text for every valid UTF-8 text (NFC tokenizers: for text in NFC).
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Ids of `text`, which may hold any bytes; bytes that are not UTF-8 are encoded one by one, never dropped.
  virtual std::vector<std::int32_t> encode(std::string_view text, AddSpecial add = AddSpecial::no,
                                           SpecialTokens special = SpecialTokens::as_text) const = 0;
  /// The bytes that an id stands for: perhaps a part of a character. Empty for an id that the vocabulary skips and from
  /// vocab_size on: a model whose vocabulary is padded may draw such ids. id ≥ 0.
  virtual std::string_view id_to_bytes(std::int32_t id) const = 0;
  /// The id of a token spelled as in tokenizer.json ("Ġthe", "<|eos|>").
  virtual std::optional<std::int32_t> token_to_id(std::string_view token) const = 0;
  /// The inverse of token_to_id.
  virtual std::string id_to_token(std::int32_t id) const = 0;

  /// One more than the greatest id.
  virtual std::int32_t vocab_size() const = 0;
  virtual std::optional<std::int32_t> bos_id() const = 0;
  virtual std::optional<std::int32_t> eos_id() const = 0;
  virtual std::optional<std::int32_t> pad_id() const = 0;
  /// False from vocab_size on. id ≥ 0.
  virtual bool is_special(std::int32_t id) const = 0;
  virtual std::vector<SpecialToken> special_tokens() const = 0;

  /// Writes tokenizer.json and tokenizer_config.json, which `load_tokenizer` and the Hugging Face libraries read with
  /// the same ids.
  virtual void save(const std::filesystem::path& directory) const = 0;

  /// The bytes of all ids in order. Error{data} for an id outside the vocabulary.
  std::string decode_bytes(std::span<const std::int32_t> ids, SkipSpecial skip) const;
  /// The same as valid UTF-8: U+FFFD stands for broken bytes.
  std::string decode(std::span<const std::int32_t> ids, SkipSpecial skip = SkipSpecial::yes) const;
};

}  // namespace hone
