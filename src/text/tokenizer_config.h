#pragma once

#include "text/bpe_spec.h"
#include "text/tokenizer_json_fields.h"

#include <filesystem>

namespace hone {

/// What tokenizer_config.json says. Members that are absent stay empty.
struct TokenizerConfig {
  Json json;  ///< as read; null: there is no file
  std::string source;
  std::string tokenizer_class;  ///< without "Fast" at its end
  std::optional<std::string> bos, eos, pad, unk, mask, cls, sep;
  std::vector<AddedToken> added;  ///< added_tokens_decoder
  bool clean_up = false;          ///< clean_up_tokenization_spaces
  std::optional<bool> add_bos, add_eos, add_prefix_space;
  std::optional<bool> do_lower_case, strip_accents, tokenize_chinese_chars;
};

/// `json` null: no file. Error{data} names `source` and the key.
TokenizerConfig read_tokenizer_config(Json json, const std::string& source);
/// tokenizer_config.json of a directory.
TokenizerConfig read_tokenizer_config(const std::filesystem::path& directory);

}  // namespace hone
