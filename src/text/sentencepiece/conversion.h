#pragma once

#include "base/json.h"
#include "text/sentencepiece/model.h"

namespace hone {

/// What the transformers library makes of a directory with a SentencePiece file and no tokenizer.json, by the
/// `tokenizer_class` of `config` (its tokenizer_config.json): a tokenizer.json for LlamaTokenizer (BPE) or T5Tokenizer
/// (Unigram, with its `extra_ids`), also …Fast. Ids differ from the sentencepiece library's where white space runs,
/// special tokens and rare characters are concerned.
///
/// Reads from `config`: add_bos_token, add_eos_token, add_prefix_space, legacy, extra_ids, the named tokens,
/// additional_special_tokens and added_tokens_decoder. Error{data} that names `source` for another class, or a model
/// of the other algorithm.
Json sentencepiece_to_tokenizer_json(const SentencePieceModel& model, const Json& config, const std::string& source);

}  // namespace hone
