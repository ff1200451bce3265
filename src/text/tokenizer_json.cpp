#include "text/tokenizer_json.h"

#include "base/error.h"
#include "base/utf8.h"
#include "io/file.h"
#include "text/bert_vocab.h"
#include "text/bpe.h"
#include "text/bpe_tokenizer.h"
#include "text/chat_format.h"
#include "text/sentencepiece/conversion.h"
#include "text/sentencepiece/tokenizer.h"
#include "text/text_bpe.h"
#include "text/tiktoken_ranks.h"
#include "text/tokenizer_files.h"
#include "text/tokenizer_json_sections.h"
#include "text/vocab_merges.h"

#include <algorithm>

namespace hone {
namespace {

namespace fs = std::filesystem;
using Save = std::function<void(const fs::path&)>;

Save writer(TokenizerFiles files) {
  return [kept = std::make_shared<TokenizerFiles>(std::move(files))](const fs::path& place) { kept->write(place); };
}

/// Added tokens that only the config lists, and tokens of the vocabulary that it names as special.
void add_configured_tokens(const TokenizerConfig& config, TokenizerParts& parts) {
  const auto known = [&](const std::string& text) {
    return std::any_of(parts.added.begin(), parts.added.end(), [&](const auto& token) { return token.text == text; });
  };
  for (const AddedToken& token : config.added) {
    if (!known(token.text)) parts.added.push_back(token);
  }
  for (const auto* name : {&config.bos, &config.eos, &config.pad, &config.unk, &config.mask, &config.cls, &config.sep}) {
    if (!*name || known(**name)) continue;
    if (const auto id = parts.model->token_to_id(**name)) parts.added.push_back({.id = *id, .text = **name});
  }
}

/// What transformers puts in place of the post-processor when the config has add_bos_token or add_eos_token.
void apply_bos_eos(const TokenizerConfig& config, TokenizerParts& parts) {
  if (!config.add_bos && !config.add_eos) return;
  const auto id_of = [&](const std::optional<std::string>& name) -> std::int32_t {
    for (const AddedToken& token : parts.added) {
      if (token.text == *name) return token.id;
    }
    return -1;  // the tokenizer refuses a named token that is not there
  };
  TemplateStep step;
  for (const int sequence : {0, 1}) {
    std::vector<TemplateItem> items;
    if (config.add_bos.value_or(false) && config.bos) items.push_back({.ids = {id_of(config.bos)}, .type_id = sequence});
    items.push_back({.sequence = sequence, .ids = {}, .type_id = sequence});
    if (config.add_eos.value_or(false) && config.eos) items.push_back({.ids = {id_of(config.eos)}, .type_id = sequence});
    if (sequence == 0) step.single = items;
    step.pair.insert(step.pair.end(), items.begin(), items.end());
  }
  parts.post_processor = PostProcessor();
  parts.post_processor.add(std::move(step));
}

std::unique_ptr<Tokenizer> load_json(const fs::path& file, const TokenizerConfig& config, Save save) {
  const Json json = Json::parse(read_file(file), file.string());
  return tokenizer_from_json(json, config, file.string(), std::move(save));
}

bool is_tiktoken(const fs::path& file) {
  const std::string contents = read_file(file);
  const std::string_view line = std::string_view(contents).substr(0, std::min(contents.find('\n'), contents.size()));
  return !line.empty() && std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

std::unique_ptr<Tokenizer> load_sentencepiece(const fs::path& file, const TokenizerConfig& config, Save save) {
  SentencePieceModel model = parse_sentencepiece(read_file(file), file.string());
  if (config.tokenizer_class.empty()) {
    return make_sentencepiece_tokenizer(std::move(model), file.string(), std::move(save));
  }
  const Json json = sentencepiece_to_tokenizer_json(model, config.json, config.source);
  // The conversion has seen the config: its added tokens and its bos and eos are in the JSON.
  TokenizerConfig named = config;
  named.added.clear();
  named.add_bos = named.add_eos = std::nullopt;
  return tokenizer_from_json(json, named, file.string(), std::move(save));
}

std::unique_ptr<Tokenizer> load_ranks(const fs::path& file, const TokenizerConfig& config, Save save) {
  BpeSpec spec = read_tiktoken_encoding(file);
  if (spec.added.empty()) spec.added = config.added;
  spec.bos = config.bos;
  spec.eos = config.eos;
  spec.pad = config.pad;
  spec.config = config.json;
  for (const AddedToken& token : spec.added) {
    if (token.text == spec.bos && config.add_bos.value_or(true)) spec.prefix = {token.id};
  }
  return make_bpe_tokenizer(std::move(spec), file.string(), std::move(save));
}

std::unique_ptr<Tokenizer> load_directory(const fs::path& directory) {
  const TokenizerConfig config = read_tokenizer_config(directory);
  const auto has = [&](const char* name) { return fs::exists(directory / name); };
  const auto save = [&] { return writer(TokenizerFiles::of_directory(directory)); };
  if (has("tokenizer.json")) return load_json(directory / "tokenizer.json", config, save());
  if (has("vocab.json") && has("merges.txt")) return load_vocab_merges(directory, config, save());
  if (has("vocab.txt")) return load_bert_vocab(directory / "vocab.txt", config, save());
  for (const char* name : {"tiktoken.model", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model"}) {
    if (!has(name)) continue;
    const fs::path file = directory / name;
    return is_tiktoken(file) ? load_ranks(file, config, save()) : load_sentencepiece(file, config, save());
  }
  fail(ErrorKind::io, "{}: it holds no tokenizer: none of tokenizer.json, vocab.json with merges.txt, vocab.txt, "
       "tiktoken.model, tokenizer.model, spiece.model and sentencepiece.bpe.model", directory.string());
}

}  // namespace

std::vector<AddedToken> read_added_tokens(const JsonField& list) {
  std::vector<AddedToken> added;
  if (list.is_null()) return added;
  for (std::size_t i = 0; i < list.array().size(); ++i) {
    const JsonField field = list.element(i);
    const std::int64_t id = field["id"].integer();
    AddedToken token{.id = static_cast<std::int32_t>(id),
                     .text = field["content"].string(),
                     .special = field.flag("special"),
                     .lstrip = field.flag("lstrip"),
                     .rstrip = field.flag("rstrip"),
                     .normalized = field.flag("normalized"),
                     .single_word = field.flag("single_word")};
    if (token.text.empty() || id < 0 || id > 10'000'000) {
      fail(ErrorKind::data, "{}: \"{}\" has the id {}", field.where(), token.text, id);
    }
    added.push_back(std::move(token));
  }
  return added;
}

JsonPattern read_pattern(const JsonField& field) {
  field.only({"String", "Regex"});
  if (!field["Regex"].is_null()) return {field["Regex"].string(), true};
  return {field["String"].string(), false};
}

const std::string& read_character(const JsonField& field) {
  const std::string& text = field.string();
  if (text.empty() || utf8_length(text) != 1) {
    fail(ErrorKind::data, "{}: expected one character, found \"{}\"", field.where(), text);
  }
  return text;
}

std::unique_ptr<Tokenizer> tokenizer_from_json(const Json& tokenizer, const TokenizerConfig& config,
                                               const std::string& source, Save save) {
  const JsonField root(tokenizer, source);
  root.only({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
             "decoder", "model"});
  if (root["model"].is_null()) fail(ErrorKind::data, "{}: no `model`: this is not a tokenizer.json", source);
  TokenizerParts parts;
  parts.added = read_added_tokens(root["added_tokens"]);
  parts.normalizer = read_normalizer(root["normalizer"]);
  parts.raw_bytes = ends_in_byte_level(root["pre_tokenizer"]);
  parts.model = read_model(root["model"], parts.added, parts.raw_bytes);
  parts.pre_tokenizer = read_pre_tokenizer(root["pre_tokenizer"], !parts.raw_bytes);
  parts.post_processor = read_post_processor(root["post_processor"]);
  parts.decoder = read_decoder(root["decoder"]);
  parts.truncation = read_truncation(root["truncation"]);
  parts.padding = read_padding(root["padding"]);
  // transformers leaves the text of BPE tokenizers as it is.
  const bool is_bpe = dynamic_cast<const BpeModel*>(parts.model.get()) != nullptr ||
                      dynamic_cast<const TextBpeModel*>(parts.model.get()) != nullptr;
  parts.clean_up = config.clean_up && !is_bpe;
  add_configured_tokens(config, parts);
  apply_bos_eos(config, parts);
  parts.bos = config.bos;
  parts.eos = config.eos;
  parts.pad = config.pad;
  parts.mask = config.mask;
  parts.save = std::move(save);
  return make_tokenizer(std::move(parts), source);
}

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& path) {
  if (fs::is_directory(path)) {
    std::unique_ptr<Tokenizer> tokenizer = load_directory(path);
    tokenizer->set_chat(ChatFormat::of_directory(path));
    return tokenizer;
  }
  const bool is_json = path.filename() == "tokenizer.json";
  const TokenizerConfig config = is_json ? read_tokenizer_config(path.parent_path()) : TokenizerConfig();
  if (path.extension() == ".tiktoken" || (path.extension() == ".model" && is_tiktoken(path))) {
    return load_ranks(path, config, nullptr);
  }
  TokenizerFiles files;
  if (path.extension() == ".model") {
    files.add("tokenizer.model", read_file(path));
    return load_sentencepiece(path, config, writer(std::move(files)));
  }
  const bool is_vocab = path.extension() == ".txt";
  files.add(is_vocab ? "vocab.txt" : "tokenizer.json", read_file(path));
  if (!config.json.is_null()) files.add("tokenizer_config.json", read_file(config.source));
  if (is_vocab) return load_bert_vocab(path, config, writer(std::move(files)));
  return load_json(path, config, writer(std::move(files)));
}

}  // namespace hone
