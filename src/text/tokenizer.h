#pragma once

#include "text/aligned_text.h"

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

/// Ids of a text or of a pair of texts with all that is known about them; the vectors are equally long.
struct EncodedText {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> type_ids;   ///< as the post-processor says: 0, and often 1 for the second text
  std::vector<TextRange> offsets;       ///< bytes of the text that each id stands for; {0, 0} where it stands for none
  std::vector<std::int8_t> sequence;    ///< 0 or 1: of which text; -1: added by the post-processor
  std::vector<std::uint8_t> attention;  ///< 1, and 0 for padding
};

/// One or two texts.
struct TextPair {
  std::string_view first;
  std::optional<std::string_view> second;
};

/// Turns ids into text as they come. No call ever gives half of a character; what all calls give together is
/// `Tokenizer::decode` of all ids.
class TextStream {
 public:
  virtual ~TextStream() = default;
  /// The text that is certain after this id. Error{data} for an id outside the vocabulary.
  virtual std::string push(std::int32_t id) = 0;
  /// The rest; once.
  virtual std::string finish() = 0;
};

class ChatFormat;

/// Text to token ids and back. Immutable once made: every method may be called from several threads at once.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Ids of `text`, which may hold any bytes. Bytes that are not UTF-8 are encoded one by one when the vocabulary is
  /// one of bytes, and as U+FFFD else.
  virtual std::vector<std::int32_t> encode(std::string_view text, AddSpecial add = AddSpecial::no,
                                           SpecialTokens special = SpecialTokens::as_text) const = 0;
  /// Ids of a rendered conversation in which the byte ranges `untrusted` (ascending, disjoint) came from users: neither
  /// inside nor across them is anything an added or special token, elsewhere all are. Ordinary merging does not see
  /// the borders.
  virtual std::vector<std::int32_t> encode_rendered(std::string_view text, std::span<const TextRange> untrusted,
                                                    AddSpecial add = AddSpecial::no) const;
  /// The same ids as encode_rendered without added ones, with the bytes of `text` that each stands for.
  virtual EncodedText encode_rendered_with_offsets(std::string_view text, std::span<const TextRange> untrusted) const;
  /// The same ids as `encode`, and for a pair those of both texts joined as the post-processor says, with type ids and
  /// offsets.
  virtual EncodedText encode_with_offsets(const TextPair& texts, AddSpecial add = AddSpecial::yes,
                                       SpecialTokens special = SpecialTokens::as_text) const;
  /// Several of them, truncated and padded as the `truncation` and `padding` sections of tokenizer.json say; with
  /// null sections nothing is.
  virtual std::vector<EncodedText> encode_batch(std::span<const TextPair> texts, AddSpecial add = AddSpecial::yes,
                                             SpecialTokens special = SpecialTokens::as_text) const;

  /// The bytes that an id stands for in the middle of a text: perhaps a part of a character, with the space before a
  /// word where the vocabulary says so. All of them together are what `decode` gives, up to a space at the start and
  /// up to the clean-up of spaces. Empty for an id that the vocabulary skips and from vocab_size on: a model whose
  /// vocabulary is padded may draw such ids. id ≥ 0.
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
  virtual std::optional<std::int32_t> unk_id() const { return std::nullopt; }
  virtual std::optional<std::int32_t> mask_id() const { return std::nullopt; }
  /// False from vocab_size on. id ≥ 0.
  virtual bool is_special(std::int32_t id) const = 0;
  virtual std::vector<SpecialToken> special_tokens() const = 0;

  /// Writes the files that the tokenizer was read from, byte for byte; for one made here, tokenizer.json and
  /// tokenizer_config.json, which `load_tokenizer` and the Hugging Face libraries read with the same ids.
  virtual void save(const std::filesystem::path& directory) const = 0;

  /// The text of ids by the rules of the tokenizer's decoder, as valid UTF-8. Error{data} for an id outside the
  /// vocabulary.
  virtual std::string decode(std::span<const std::int32_t> ids, SkipSpecial skip = SkipSpecial::yes) const;
  /// The same bit by bit. The tokenizer must outlive it.
  virtual std::unique_ptr<TextStream> decode_stream(SkipSpecial skip = SkipSpecial::yes) const;

  /// id_to_bytes of all ids in order. Error{data} for an id outside the vocabulary.
  std::string decode_bytes(std::span<const std::int32_t> ids, SkipSpecial skip) const;
  /// Error{data} for an id outside the vocabulary.
  void check_id(std::int32_t id) const;

  /// How the model behind this vocabulary writes conversations; null: it has no chat template.
  const ChatFormat* chat() const { return chat_.get(); }
  /// Before several threads use the tokenizer.
  void set_chat(std::shared_ptr<const ChatFormat> chat) { chat_ = std::move(chat); }

 private:
  std::shared_ptr<const ChatFormat> chat_;
};

}  // namespace hone
