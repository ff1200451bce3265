#pragma once

#include "text/pipeline.h"
#include "text/tokenizer_config.h"

namespace hone {

/// The older pair of files of GPT-2 and its kin: vocab.json (spelling to id) and merges.txt. They do not say how text
/// is split; the result splits as GPT-2 does and has no added tokens. Error{data} names file and line.
BpeSpec read_vocab_merges(const std::filesystem::path& vocab, const std::filesystem::path& merges);

/// A directory with vocab.json and merges.txt, for the classes whose rules are known (GPT2Tokenizer, Qwen2Tokenizer,
/// also …Fast), by `tokenizer_class` of `config`; added tokens from its added_tokens_decoder.
std::unique_ptr<Tokenizer> load_vocab_merges(const std::filesystem::path& directory, const TokenizerConfig& config,
                                             std::function<void(const std::filesystem::path&)> save);

}  // namespace hone
