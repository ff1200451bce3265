#include "base/error.h"
#include "text/token_decoders.h"
#include "text/tokenizer_json_sections.h"

namespace hone {
namespace {

std::string string_or(const JsonField& field, const char* absent) {
  return field.is_null() ? std::string(absent) : field.string();
}

std::size_t count_of(const JsonField& field) {
  const std::int64_t count = field.is_null() ? 0 : field.integer();
  if (count < 0) field.refuse(std::to_string(count));
  return static_cast<std::size_t>(count);
}

std::unique_ptr<TokenDecoder> read_metaspace(const JsonField& field) {
  const JsonField scheme = field["prepend_scheme"];
  const bool never = (!scheme.is_null() && scheme.string() == "never") || !field.flag("add_prefix_space", true);
  return metaspace_decoder(read_character(field["replacement"]), !never);
}

std::unique_ptr<TokenDecoder> read_replace(const JsonField& field) {
  const JsonPattern pattern = read_pattern(field["pattern"]);
  const std::string& content = field["content"].string();
  if (!pattern.is_regex) return replace_decoder(pattern.text, content);
  return regex_replace_decoder(Splitter(pattern.text, field["pattern"].where()), content);
}

std::unique_ptr<TokenDecoder> read_step(const JsonField& field) {
  const std::string type = field.type();
  if (type == "ByteLevel") return byte_level_decoder();
  if (type == "ByteFallback") return byte_fallback_decoder();
  if (type == "Fuse") return fuse_decoder();
  if (type == "Metaspace") return read_metaspace(field);
  if (type == "Replace") return read_replace(field);
  if (type == "BPEDecoder") return suffix_decoder(string_or(field["suffix"], "</w>"));
  if (type == "WordPiece") return wordpiece_decoder(string_or(field["prefix"], "##"), field.flag("cleanup", true));
  if (type == "Strip") {
    return strip_decoder(read_character(field["content"]), count_of(field["start"]), count_of(field["stop"]));
  }
  if (type == "CTC") {
    return ctc_decoder(string_or(field["pad_token"], "<pad>"), string_or(field["word_delimiter_token"], "|"),
                       field.flag("cleanup", true));
  }
  field.refuse(fmt::format("type \"{}\"", type));
}

void read_steps(const JsonField& field, DecoderChain& chain) {
  if (field.type() != "Sequence") return chain.add(read_step(field));
  const JsonField list = field["decoders"];
  for (std::size_t i = 0; i < list.array().size(); ++i) read_steps(list.element(i), chain);
}

}  // namespace

DecoderChain read_decoder(const JsonField& field) {
  DecoderChain chain;
  if (field.is_null()) {
    chain.add(joining_decoder());
  } else {
    read_steps(field, chain);
  }
  return chain;
}

}  // namespace hone
