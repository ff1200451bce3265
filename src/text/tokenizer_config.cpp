#include "text/tokenizer_config.h"

#include "base/error.h"
#include "io/file.h"

#include <charconv>

namespace hone {
namespace {

/// A token's name: a string, or an object with its content.
std::optional<std::string> token_name(const JsonField& field) {
  if (field.is_null()) return std::nullopt;
  return field.value().is_string() ? field.string() : field["content"].string();
}

std::optional<bool> flag(const JsonField& config, std::string_view key) {
  return config[key].is_null() ? std::nullopt : std::optional(config.flag(key));
}

std::vector<AddedToken> read_added_tokens_decoder(const JsonField& decoder) {
  std::vector<AddedToken> added;
  if (decoder.is_null()) return added;
  for (const auto& [key, value] : decoder.object()) {
    const JsonField field = decoder[key];
    AddedToken token{.text = field["content"].string(),
                     .special = field.flag("special"),
                     .lstrip = field.flag("lstrip"),
                     .rstrip = field.flag("rstrip"),
                     .normalized = field.flag("normalized"),
                     .single_word = field.flag("single_word")};
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), token.id);
    if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || token.id < 0 || token.text.empty()) {
      fail(ErrorKind::data, "{}: expected an id and the text of a token", field.where());
    }
    added.push_back(std::move(token));
  }
  return added;
}

}  // namespace

TokenizerConfig read_tokenizer_config(Json json, const std::string& source) {
  TokenizerConfig config;
  config.json = std::move(json);
  config.source = source;
  const JsonField field(config.json, source);
  if (!field.is_null()) field.object();
  config.bos = token_name(field["bos_token"]);
  config.eos = token_name(field["eos_token"]);
  config.pad = token_name(field["pad_token"]);
  config.unk = token_name(field["unk_token"]);
  config.mask = token_name(field["mask_token"]);
  config.cls = token_name(field["cls_token"]);
  config.sep = token_name(field["sep_token"]);
  config.added = read_added_tokens_decoder(field["added_tokens_decoder"]);
  config.clean_up = field.flag("clean_up_tokenization_spaces");
  config.add_bos = flag(field, "add_bos_token");
  config.add_eos = flag(field, "add_eos_token");
  config.add_prefix_space = flag(field, "add_prefix_space");
  config.do_lower_case = flag(field, "do_lower_case");
  config.strip_accents = flag(field, "strip_accents");
  config.tokenize_chinese_chars = flag(field, "tokenize_chinese_chars");
  if (!field["tokenizer_class"].is_null()) {
    config.tokenizer_class = field["tokenizer_class"].string();
    if (config.tokenizer_class.ends_with("Fast")) config.tokenizer_class.resize(config.tokenizer_class.size() - 4);
  }
  return config;
}

TokenizerConfig read_tokenizer_config(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "tokenizer_config.json";
  Json json = std::filesystem::exists(path) ? Json::parse(read_file(path), path.string()) : Json();
  return read_tokenizer_config(std::move(json), path.string());
}

}  // namespace hone
