#pragma once

#include "text/pipeline.h"
#include "text/tokenizer_config.h"

namespace hone {

/// vocab.txt, a token a line: WordPiece as BERT has it, with the options of `config` (do_lower_case, strip_accents,
/// tokenize_chinese_chars; special tokens [PAD], [UNK], [CLS], [SEP], [MASK] by default). Error{data} names the line.
std::unique_ptr<Tokenizer> load_bert_vocab(const std::filesystem::path& file, const TokenizerConfig& config,
                                           std::function<void(const std::filesystem::path&)> save);

}  // namespace hone
