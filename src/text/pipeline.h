#pragma once

#include "text/added_tokens.h"
#include "text/batching.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/subword_model.h"
#include "text/token_decoder.h"

#include <map>

namespace hone {

/// What a tokenizer is put together from: the sections of tokenizer.json, and what tokenizer_config.json adds.
struct TokenizerParts {
  std::vector<AddedToken> added;
  std::unique_ptr<Normalizer> normalizer;        ///< null: none
  std::unique_ptr<PreTokenizer> pre_tokenizer;   ///< null: the text is one piece
  std::unique_ptr<SubwordModel> model;
  bool raw_bytes = false;  ///< the model reads any bytes: what is not UTF-8 reaches it byte by byte
  PostProcessor post_processor;
  DecoderChain decoder;
  bool clean_up = false;  ///< decoding ends with `clean_ups`
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;
  std::optional<std::string> bos, eos, pad, unk, mask;
  /// Writes the tokenizer into a directory.
  std::function<void(const std::filesystem::path&)> save;
};

/// The tokenizer of these parts. `source` is what messages call it (a file). Error{data} for parts that contradict each
/// other: named tokens outside the vocabulary, ids used twice.
std::unique_ptr<Tokenizer> make_tokenizer(TokenizerParts parts, const std::string& source);

}  // namespace hone
