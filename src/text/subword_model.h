#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// A token found in a piece of text, and the bytes of that piece it stands for. Several tokens may share their bytes
/// (the byte tokens of a character that the vocabulary lacks).
struct Subword {
  std::int32_t id = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool operator==(const Subword&) const = default;
};

/// A vocabulary and its rule for cutting text into tokens: the `model` section of tokenizer.json. Immutable once made:
/// every method may be called from several threads at once.
class SubwordModel {
 public:
  virtual ~SubwordModel() = default;

  /// Appends the tokens of one piece, which is valid UTF-8, not empty, shorter than 4 GiB and as the normalizer and
  /// the pre-tokenizer left it. The spans are in ascending order. Error{data} when the vocabulary cannot express the
  /// piece and names no unknown token.
  virtual void tokenize(std::string_view piece, std::vector<Subword>& tokens) const = 0;

  /// The id of a token, spelled as in the file. Added tokens are not known here.
  virtual std::optional<std::int32_t> token_to_id(std::string_view token) const = 0;
  /// The inverse; "" for an id that the vocabulary skips. 0 ≤ id < vocab_size().
  virtual std::string id_to_token(std::int32_t id) const = 0;
  /// One more than the greatest id.
  virtual std::int32_t vocab_size() const = 0;
  /// The token for what the vocabulary lacks.
  virtual std::optional<std::int32_t> unknown_id() const = 0;
};

}  // namespace hone
