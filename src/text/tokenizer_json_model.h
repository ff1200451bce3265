#pragma once

#include "text/bpe_spec.h"
#include "text/tokenizer_json_fields.h"

namespace hone {

/// Spellings to ids: a token for each id, "" where there is none. Error{data} for ids that are negative, huge or twice.
std::vector<std::string> read_spellings(const JsonField& vocab);

/// The same for byte-level BPE (also: vocab.json), as bytes into spec.tokens. The added tokens must be in `spec` already:
/// their spellings need not be of the byte alphabet.
void read_vocab(const JsonField& vocab, BpeSpec& spec);

/// The lines of merges.txt, "left right", after those that open with "#version". The vocabulary must be in `spec`.
void read_merge_lines(std::string_view text, const std::string& source, BpeSpec& spec);

}  // namespace hone
