#pragma once

#include "text/bpe_spec.h"
#include "text/tokenizer_json_fields.h"

namespace hone {

/// The `model` section of tokenizer.json. The added tokens must be in `spec` already: their spellings need not be of
/// the byte alphabet.
void read_bpe_model(const JsonField& model, BpeSpec& spec);

/// Token spellings to ids (also: vocab.json) into spec.tokens.
void read_vocab(const JsonField& vocab, BpeSpec& spec);

/// The lines of merges.txt, "left right", after those that open with "#version". The vocabulary must be in `spec`.
void read_merge_lines(std::string_view text, const std::string& source, BpeSpec& spec);

}  // namespace hone
