#pragma once

#include "text/token_decoder.h"
#include "text/tokenizer.h"

#include <functional>

namespace hone {

/// Decodes id by id through the stages of `decoder`; `spelling` is the token of an id, "" for none. The first two must
/// outlive it.
std::unique_ptr<TextStream> token_text_stream(const Tokenizer& tokenizer, const DecoderChain& decoder,
                                              SkipSpecial skip, std::function<std::string(std::int32_t)> spelling);

}  // namespace hone
