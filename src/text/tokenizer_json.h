#pragma once

#include "text/pipeline.h"
#include "text/tokenizer_config.h"

namespace hone {

/// Opens a tokenizer. A directory holds, in this order of preference,
///
///   tokenizer.json                    any tokenizer of the tokenizers library
///   vocab.json and merges.txt         byte-level BPE; tokenizer_config.json names the class
///   vocab.txt                         BERT's WordPiece
///   tiktoken.model, tokenizer.model,  ranks of byte-level BPE in tiktoken's notation, or SentencePiece's model: with a
///   spiece.model, …                   tokenizer_class read as transformers reads it, else as sentencepiece does
///
/// and mostly tokenizer_config.json, which names the bos, eos and pad tokens. A file is read by its name: *.txt as
/// vocab.txt, *.tiktoken as ranks, *.model as ranks or SentencePiece's model, others as a tokenizer.json, with the config
/// beside it only when it has that name. What would change the ids and is not known is refused: Error{data} that names
/// the file and the key.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path);

/// The contents of tokenizer.json as a tokenizer; it saves what `save` says. `source` is the file that messages name.
std::unique_ptr<Tokenizer> tokenizer_from_json(const Json& tokenizer, const TokenizerConfig& config,
                                               const std::string& source,
                                               std::function<void(const std::filesystem::path&)> save);

/// Writes tokenizer.json and tokenizer_config.json into an existing directory.
void write_tokenizer_json(const BpeSpec& spec, const std::filesystem::path& directory);

}  // namespace hone
