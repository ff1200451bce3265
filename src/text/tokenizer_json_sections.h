#pragma once

#include "text/pipeline.h"
#include "text/splitter.h"
#include "text/tokenizer_json_fields.h"

namespace hone {

/// The sections of tokenizer.json. A null field gives nothing. Error{data} names the file and the key of what is unknown
/// or missing.
std::vector<AddedToken> read_added_tokens(const JsonField& list);
std::unique_ptr<Normalizer> read_normalizer(const JsonField& field);
PostProcessor read_post_processor(const JsonField& field);
/// A null field gives the decoder that joins tokens with spaces.
DecoderChain read_decoder(const JsonField& field);
std::optional<Truncation> read_truncation(const JsonField& field);
std::optional<Padding> read_padding(const JsonField& field);

/// `spells`: as ByteLevelPreTokenizer::Options says.
std::unique_ptr<PreTokenizer> read_pre_tokenizer(const JsonField& field, bool spells);
/// The last step is ByteLevel and no other is, so that the vocabulary may read bytes instead of their spelling.
bool ends_in_byte_level(const JsonField& field);

/// The model, the decoder of its spelling left aside. `raw_bytes`: the pre-tokenizer can leave bytes as they are; comes
/// back as whether the model wants them so.
std::unique_ptr<SubwordModel> read_model(const JsonField& model, const std::vector<AddedToken>& added,
                                         bool& raw_bytes);

/// {"String": …} or {"Regex": …}.
struct JsonPattern {
  std::string text;
  bool is_regex = false;
};
JsonPattern read_pattern(const JsonField& field);
/// A string of one character.
const std::string& read_character(const JsonField& field);

}  // namespace hone
