#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "data/examples.h"
#include "text/chat_format.h"
#include "text/pair_template.h"

namespace hone {

/// How long a row may be that a head reads.
struct LengthLimit {
  std::optional<std::int64_t> max_tokens;  ///< with what the tokenizer adds; by default the model's context
  Overlong overlong = Overlong::truncate_right;
  void describe(Fields& f);
};

/// Texts and pairs of texts as models with heads read them: ids and token types as the tokenizer gives them, so that
/// prediction asks with the same. No token is a target. What the tokenizer adds around texts is never cut.
class TextEncoder {
 public:
  /// Error{config} when the limit leaves no room for a text.
  TextEncoder(const Tokenizer& tokenizer, const ModelInput& input, const LengthLimit& limit);

  /// Without ids when the row is left out. `where` opens the message of an error ("train.jsonl:12"); `row` as in
  /// TokenExample.
  TokenExample encode(std::string_view text, std::optional<std::string_view> pair, std::string_view where,
                      std::int64_t row);

  /// A conversation as the chat template writes it; the tokenizer adds nothing. Error as encode_chat.
  TokenExample encode(const Conversation& conversation, std::string_view where, std::int64_t row);

  /// Ids with a tag each, cut and wrapped alike; what the tokenizer adds has none. Nothing when the row is left out.
  std::optional<TokenExample> wrap(std::span<const std::int32_t> ids, std::span<const std::int64_t> tags,
                                   std::string_view where, std::int64_t row);

  std::int64_t longest() const { return longest_; }
  /// Of everything encoded.
  const EncodeReport& report() const { return report_; }

 private:
  /// How many of `tokens` ids stay, beside `added` ones that always do; nothing when the row is left out.
  std::optional<std::int64_t> room(std::int64_t tokens, std::int64_t added, std::string_view where);
  /// The first of `count` neighbours that stay of `size` ids.
  std::size_t first_kept(std::size_t size, std::size_t count) const;
  void append_kept(std::vector<std::int32_t>& to, std::span<const std::int32_t> ids, std::size_t count) const;
  TokenExample single(std::string_view text, std::string_view where);
  TokenExample joined(std::string_view first, std::string_view second, std::string_view where);
  TokenExample counted(TokenExample example, std::int64_t row, std::int64_t skipped_before);

  const Tokenizer& tokenizer_;
  ModelInput input_;
  Overlong overlong_;
  std::int64_t longest_;
  TextTemplate around_;
  std::optional<PairTemplate> pair_;  ///< once a pair was met
  EncodeReport report_;
};

}  // namespace hone
