#pragma once

#include "text/token_decoder.h"
#include "text/tokenizer.h"

namespace hone {

/// Decodes id by id through the stages of `decoder`. Both must outlive it.
std::unique_ptr<TextStream> token_text_stream(const Tokenizer& tokenizer, const DecoderChain& decoder,
                                              SkipSpecial skip);

}  // namespace hone
