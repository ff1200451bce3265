#pragma once

#include "text/splitter.h"
#include "text/token_decoder.h"

namespace hone {

/// The bytes that the byte alphabet spells, as one token. Broken UTF-8 becomes U+FFFD.
std::unique_ptr<TokenDecoder> byte_level_decoder();
/// Tokens that open with `prefix` join the one before, others get a space. `cleanup`: no space before punctuation.
std::unique_ptr<TokenDecoder> wordpiece_decoder(std::string prefix, bool cleanup);
/// `replacement` becomes a space, in the first token (when `prepended`) nothing.
std::unique_ptr<TokenDecoder> metaspace_decoder(std::string replacement, bool prepended);
/// `suffix` becomes a space, in the last token nothing.
std::unique_ptr<TokenDecoder> suffix_decoder(std::string suffix);
/// Runs of tokens <0x00> to <0xFF> become the text of these bytes; U+FFFD each when they are not UTF-8.
std::unique_ptr<TokenDecoder> byte_fallback_decoder();
/// All tokens become one.
std::unique_ptr<TokenDecoder> fuse_decoder();
/// Up to `start` times `content` (a character) goes from the start of each token, up to `stop` times from its end.
std::unique_ptr<TokenDecoder> strip_decoder(std::string content, std::size_t start, std::size_t stop);
std::unique_ptr<TokenDecoder> replace_decoder(std::string pattern, std::string content);
std::unique_ptr<TokenDecoder> regex_replace_decoder(Splitter pattern, std::string content);
/// Repeated tokens become one, `pad` goes, `delimiter` becomes a space (when `cleanup`).
std::unique_ptr<TokenDecoder> ctc_decoder(std::string pad, std::string delimiter, bool cleanup);
/// A space between tokens: what is done without a decoder.
std::unique_ptr<TokenDecoder> joining_decoder();

/// No space before punctuation and English contractions: the replacements of transformers, in their order.
struct CleanUp {
  std::string_view pattern, content;
};
const std::vector<CleanUp>& clean_ups();

}  // namespace hone
