#include "text/tokenizer_json.h"

#include "base/error.h"
#include "io/file.h"
#include "text/bpe_tokenizer.h"
#include "text/split_patterns.h"
#include "text/tokenizer_json_model.h"
#include "text/vocab_merges.h"

namespace hone {
namespace {

namespace fs = std::filesystem;

void read_added_tokens(const JsonField& list, BpeSpec& spec) {
  if (list.is_null()) return;
  for (std::size_t i = 0; i < list.array().size(); ++i) {
    const JsonField field = list.element(i);
    const AddedToken token{.id = static_cast<std::int32_t>(field["id"].integer()),
                           .text = field["content"].string(),
                           .special = field.flag("special"),
                           .lstrip = field.flag("lstrip"),
                           .rstrip = field.flag("rstrip"),
                           .normalized = field.flag("normalized")};
    if (field.flag("single_word")) field["single_word"].refuse("true");
    if (token.text.empty() || token.id < 0) {
      fail(ErrorKind::data, "{}: an empty text or a negative id", field.where());
    }
    spec.added.push_back(token);
  }
}

void read_normalizer(const JsonField& field, BpeSpec& spec) {
  if (field.is_null()) return;
  if (field.type() == "Sequence" && field["normalizers"].array().empty()) return;
  if (field.type() != "NFC") field.refuse(fmt::format("\"{}\"", field.type()));
  spec.nfc = true;
  for (const AddedToken& token : spec.added) {
    for (const char c : token.text) {
      if (token.normalized && static_cast<unsigned char>(c) >= 0x80) {
        field.refuse(fmt::format("a normalised added token that is not ASCII (\"{}\")", token.text));
      }
    }
  }
}

void read_split(const JsonField& field, BpeSpec& spec) {
  field.only({"type", "pattern", "behavior", "invert"});
  if (field["behavior"].string() != "Isolated") field["behavior"].refuse(field["behavior"].string());
  if (field.flag("invert")) field["invert"].refuse("true");
  field["pattern"].only({"Regex"});
  spec.splits.push_back(field["pattern"]["Regex"].string());
}

/// ByteLevel must come last: what it gives is spelled in the byte alphabet.
void read_pre_tokenizer(const JsonField& field, BpeSpec& spec, bool& byte_level) {
  const std::string type = field.type();
  if (byte_level) field.refuse("a step after ByteLevel");
  if (type == "Sequence") {
    const JsonField steps = field["pretokenizers"];
    for (std::size_t i = 0; i < steps.array().size(); ++i) read_pre_tokenizer(steps.element(i), spec, byte_level);
  } else if (type == "Split") {
    read_split(field, spec);
  } else if (type == "Digits") {
    spec.splits.emplace_back(field.flag("individual_digits") ? R"(\p{N})" : R"(\p{N}+)");
  } else if (type == "ByteLevel") {
    byte_level = true;
    spec.add_prefix_space = field.flag("add_prefix_space", true);
    spec.byte_level_split = field.flag("use_regex", true);
  } else {
    field.refuse(fmt::format("\"{}\"", type));
  }
}

void read_template(const JsonField& field, BpeSpec& spec) {
  const JsonField single = field["single"];
  bool seen_text = false;
  for (std::size_t i = 0; i < single.array().size(); ++i) {
    const JsonField item = single.element(i);
    if (item.value().find("Sequence") != nullptr) {
      if (seen_text) single.refuse("a template that repeats the text");
      seen_text = true;
      continue;
    }
    const std::string& name = item["SpecialToken"]["id"].string();
    const JsonField ids = field["special_tokens"][name]["ids"];
    for (std::size_t k = 0; k < ids.array().size(); ++k) {
      (seen_text ? spec.suffix : spec.prefix).push_back(static_cast<std::int32_t>(ids.element(k).integer()));
    }
  }
  if (!seen_text) single.refuse("a template without the text");
}

void read_post_processor(const JsonField& field, BpeSpec& spec) {
  if (field.is_null() || field.type() == "ByteLevel") return;  // ByteLevel moves offsets only
  if (field.type() == "Sequence") {
    const JsonField steps = field["processors"];
    for (std::size_t i = 0; i < steps.array().size(); ++i) read_post_processor(steps.element(i), spec);
  } else if (field.type() == "TemplateProcessing") {
    if (!spec.prefix.empty() || !spec.suffix.empty()) field.refuse("a second template");
    read_template(field, spec);
  } else {
    field.refuse(fmt::format("\"{}\"", field.type()));
  }
}

/// A token's name in tokenizer_config.json: a string, or an object with its content.
std::optional<std::string> token_name(const JsonField& field) {
  if (field.is_null()) return std::nullopt;
  return field.value().is_string() ? field.string() : field["content"].string();
}

Json parse_if_present(const fs::path& path) {
  return fs::exists(path) ? Json::parse(read_file(path), path.string()) : Json();
}

}  // namespace

void read_tokenizer_config(const Json& config, const std::string& source, BpeSpec& spec) {
  const JsonField field(config, source);
  spec.config = config;
  spec.bos = token_name(field["bos_token"]);
  spec.eos = token_name(field["eos_token"]);
  spec.pad = token_name(field["pad_token"]);
}

BpeSpec read_tokenizer_json(const Json& tokenizer, const Json& config, const std::string& source) {
  const JsonField root(tokenizer, source);
  root.only({"version", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"});
  if (root["model"].is_null()) fail(ErrorKind::data, "{}: no `model`: this is not a tokenizer.json", source);
  BpeSpec spec;
  read_added_tokens(root["added_tokens"], spec);
  read_normalizer(root["normalizer"], spec);
  bool byte_level = false;
  if (!root["pre_tokenizer"].is_null()) read_pre_tokenizer(root["pre_tokenizer"], spec, byte_level);
  if (!byte_level) root["pre_tokenizer"].refuse("no ByteLevel step");
  if (root["decoder"].type() != "ByteLevel") root["decoder"].refuse(fmt::format("\"{}\"", root["decoder"].type()));
  read_bpe_model(root["model"], spec);
  read_post_processor(root["post_processor"], spec);
  read_tokenizer_config(config, source, spec);
  return spec;
}

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& path) {
  const bool is_directory = fs::is_directory(path);
  const fs::path directory = is_directory ? path : path.parent_path();
  const fs::path file = is_directory ? path / "tokenizer.json" : path;
  // A tokenizer under another name has no claim to the config beside it.
  const bool has_config = is_directory || file.filename() == "tokenizer.json";
  const Json config = has_config ? parse_if_present(directory / "tokenizer_config.json") : Json();
  if (is_directory && !fs::exists(file)) {
    if (fs::exists(path / "vocab.json") && fs::exists(path / "merges.txt")) {
      return make_bpe_tokenizer(read_vocab_merges_directory(path, config), (path / "vocab.json").string());
    }
    fail(ErrorKind::io, "{}: neither tokenizer.json nor vocab.json with merges.txt is in it", path.string());
  }
  const Json tokenizer = Json::parse(read_file(file), file.string());
  return make_bpe_tokenizer(read_tokenizer_json(tokenizer, config, file.string()), file.string());
}

}  // namespace hone
