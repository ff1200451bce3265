#pragma once

#include "text/bpe_spec.h"
#include "text/tokenizer.h"

namespace hone {

/// Opens a tokenizer: a tokenizer.json, or a directory with tokenizer.json (or vocab.json and merges.txt) and, if
/// there is one, tokenizer_config.json beside it, which names the bos, eos and pad tokens. A file of another name is
/// read as a tokenizer.json without a config.
///
/// Byte-level BPE only. Whatever in the files would change the ids and is not implemented is refused: Error{data}
/// that names the file and the field.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path);

/// The contents of tokenizer.json (and of tokenizer_config.json, null when absent) as a description. `source` is the
/// file that messages name.
BpeSpec read_tokenizer_json(const Json& tokenizer, const Json& config, const std::string& source);

/// Takes the bos, eos and pad tokens from tokenizer_config.json (null: none), and keeps the rest for writing back.
void read_tokenizer_config(const Json& config, const std::string& source, BpeSpec& spec);

/// Writes both files into an existing directory.
void write_tokenizer_json(const BpeSpec& spec, const std::filesystem::path& directory);

}  // namespace hone
