#pragma once

#include <string_view>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

namespace hone {

/// What holds for every tokenizer that is accepted: texts have ids of the vocabulary, which are text again, bit by bit
/// as at once.
inline void check_tokenizer(const Tokenizer& tokenizer, bool knows_offsets) {
  for (const std::string_view text : {"", "Hello world", "  two\tspaces\n\n", "\xC3\xA9t\xC3\xA9 \xE4\xBD\xA0 \xF0\x9F\x99\x82",
                                      "\xFF\xC3", "aaaaaaaaaaaaaaaa", "<s></s>[CLS]"}) {
    for (const SpecialTokens special : {SpecialTokens::as_text, SpecialTokens::parse}) {
      const std::vector<std::int32_t> ids = tokenizer.encode(text, AddSpecial::yes, special);
      if (knows_offsets) {
        const EncodedText all = tokenizer.encode_with_offsets({text, std::nullopt}, AddSpecial::yes, special);
        HONE_ASSERT(all.ids == ids && all.offsets.size() == ids.size());
        for (const TextRange& range : all.offsets) HONE_ASSERT(range.begin <= range.end && range.end <= text.size());
      }
      for (const std::int32_t id : ids) HONE_ASSERT(id >= 0 && id < tokenizer.vocab_size());
      const std::string decoded = tokenizer.decode(ids);
      HONE_ASSERT(first_invalid_utf8(decoded) == std::string::npos);
      std::string streamed;
      const auto stream = tokenizer.decode_stream();
      for (const std::int32_t id : ids) streamed += stream->push(id);
      HONE_ASSERT(streamed + stream->finish() == decoded);
    }
  }
}

}  // namespace hone
