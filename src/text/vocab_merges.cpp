#include "text/vocab_merges.h"

#include "base/error.h"
#include "io/file.h"
#include "text/split_patterns.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_json_model.h"

#include <charconv>

namespace hone {
namespace {

namespace fs = std::filesystem;

void read_files(const fs::path& vocab, const fs::path& merges, BpeSpec& spec) {
  const Json json = Json::parse(read_file(vocab), vocab.string());
  read_vocab(JsonField(json, vocab.string()), spec);
  read_merge_lines(read_file(merges), merges.string(), spec);
}

void read_added_tokens_decoder(const JsonField& decoder, BpeSpec& spec) {
  if (decoder.is_null()) return;
  for (const auto& [key, value] : decoder.object()) {
    const JsonField field = decoder[key];
    AddedToken token{.text = field["content"].string(),
                     .special = field.flag("special"),
                     .lstrip = field.flag("lstrip"),
                     .rstrip = field.flag("rstrip"),
                     .normalized = field.flag("normalized")};
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), token.id);
    if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || token.id < 0 || token.text.empty()) {
      fail(ErrorKind::data, "{}: expected an id and the text of a token", field.where());
    }
    if (field.flag("single_word")) field["single_word"].refuse("true");
    spec.added.push_back(token);
  }
}

}  // namespace

BpeSpec read_vocab_merges(const fs::path& vocab, const fs::path& merges) {
  BpeSpec spec;
  read_files(vocab, merges, spec);
  return spec;
}

BpeSpec read_vocab_merges_directory(const fs::path& directory, const Json& config) {
  const std::string source = (directory / "tokenizer_config.json").string();
  const JsonField field(config, source);
  if (field["tokenizer_class"].is_null()) {
    fail(ErrorKind::data, "{}: vocab.json and merges.txt need `tokenizer_class` here to tell how text is split",
         source);
  }
  const std::string& name = field["tokenizer_class"].string();
  BpeSpec spec;
  read_added_tokens_decoder(field["added_tokens_decoder"], spec);
  if (name == "Qwen2Tokenizer" || name == "Qwen2TokenizerFast") {
    spec.splits = {std::string(kQwen2Split)};
    spec.byte_level_split = false;
    spec.nfc = true;
  } else if (name == "GPT2Tokenizer" || name == "GPT2TokenizerFast") {
    spec.add_prefix_space = field.flag("add_prefix_space");
  } else {
    field["tokenizer_class"].refuse("\"" + name + "\" without a tokenizer.json");
  }
  read_files(directory / "vocab.json", directory / "merges.txt", spec);
  read_tokenizer_config(config, source, spec);
  return spec;
}

}  // namespace hone
