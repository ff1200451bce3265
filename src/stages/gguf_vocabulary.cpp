#include "stages/gguf_vocabulary.h"

#include "base/error.h"
#include "text/split_patterns.h"

#include <algorithm>
#include <unordered_map>

namespace hone {
namespace {

using Kind = GgufVocabulary::Kind;

constexpr std::string_view kSpace = "\xe2\x96\x81";  // U+2581 stands for a space in SentencePiece's tokens
constexpr std::string_view kGpt4oSplit =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekkenSplit =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

[[noreturn]] void refuse(std::string_view key, const Json& value, std::string_view why) {
  fail(ErrorKind::data, "tokenizer.json: {} {} cannot be written to GGUF: {}", key, value.dump(), why);
}

std::string text_of(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

bool is_true(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

/// The steps of a Sequence, or the one step that stands alone; null is none.
std::vector<const Json*> steps_of(const Json& tokenizer, std::string_view part, std::string_view list) {
  const Json* step = tokenizer.find(part);
  if (step == nullptr || step->is_null()) return {};
  if (text_of(*step, "type") != "Sequence") return {step};
  std::vector<const Json*> steps;
  for (const Json& item : step->at(list).as_array()) steps.push_back(&item);
  return steps;
}

std::string pattern_of(const Json& step) {
  const Json* pattern = step.find("pattern");
  if (pattern == nullptr) return "";
  return text_of(*pattern, "Regex") + text_of(*pattern, "String");
}

/// llama.cpp's name of a byte-level tokenizer's way to split.
std::string split_name(const Json& tokenizer, bool ignore_merges) {
  const Json& whole = tokenizer.at("pre_tokenizer");
  std::string split;
  bool digits = false, own_split = false;
  for (const Json* step : steps_of(tokenizer, "pre_tokenizer", "pretokenizers")) {
    const std::string type = text_of(*step, "type");
    if (type == "Split" && split.empty() && !is_true(*step, "invert")) {
      split = pattern_of(*step);
    } else if (type == "Digits" && is_true(*step, "individual_digits")) {
      digits = true;
    } else if (type == "ByteLevel" && !is_true(*step, "add_prefix_space")) {
      const Json* use = step->find("use_regex");
      own_split = use == nullptr || use->as_bool();
    } else {
      refuse("pre_tokenizer", *step, "llama.cpp has no such step for byte-level BPE");
    }
  }
  if (split.empty() && own_split && !ignore_merges) return digits ? "smollm" : "gpt-2";
  if (!own_split && !digits) {
    if (split == kLlama3Split) return ignore_merges ? "llama-bpe" : "smaug-bpe";
    if (split == kQwen2Split && !ignore_merges) return "qwen2";
    if (split == kGpt2Split && !ignore_merges) return "gpt-2";
    if (split == kGpt4oSplit && !ignore_merges) return "gpt-4o";
    if (split == kTekkenSplit && ignore_merges) return "tekken";
  }
  refuse("pre_tokenizer", whole, "llama.cpp has no name for this split");
}

std::string merge_text(const Json& merge) {
  if (merge.is_string()) return merge.as_string();
  const std::string left = merge.as_array().at(0).as_string(), right = merge.as_array().at(1).as_string();
  if ((left + right).find(' ') != std::string::npos) refuse("model.merges", merge, "a merge with a space inside");
  return left + " " + right;
}

/// Left and right of a merge in either of tokenizer.json's forms.
std::string merged_token(const Json& merge) {
  if (!merge.is_string()) return merge.as_array().at(0).as_string() + merge.as_array().at(1).as_string();
  const std::string& text = merge.as_string();
  const std::size_t space = text.find(' ');
  return text.substr(0, space) + (space == std::string::npos ? "" : text.substr(space + 1));
}

bool is_byte_token(std::string_view token) {
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with('>');
}

/// tokens and kinds, with what `added_tokens` says of them.
void read_tokens(const Json& tokenizer, std::int64_t size, GgufVocabulary& vocabulary) {
  const bool sentencepiece = vocabulary.model == "llama";
  vocabulary.kinds.assign(static_cast<std::size_t>(size), Kind::unused);
  for (std::int64_t id = 0; id < size; ++id) vocabulary.tokens.push_back(fmt::format("[PAD{}]", id));
  const auto put = [&](std::int64_t id, const std::string& token, Kind kind) {
    if (id < 0 || id >= size) {
      fail(ErrorKind::data, "tokenizer.json: token {} has id {}, but the model's vocabulary has {} entries",
           Json(token).dump(), id, size);
    }
    vocabulary.tokens[static_cast<std::size_t>(id)] = token;
    vocabulary.kinds[static_cast<std::size_t>(id)] = kind;
  };
  for (const auto& [token, id] : tokenizer.at("model").at("vocab").as_object()) {
    put(id.as_integer(), token, sentencepiece && is_byte_token(token) ? Kind::byte : Kind::normal);
  }
  const Json* added = tokenizer.find("added_tokens");
  if (added == nullptr || added->is_null()) return;
  for (const Json& token : added->as_array()) {
    std::string text = token.at("content").as_string();
    const bool special = is_true(token, "special");
    if (!special && sentencepiece) {
      for (std::size_t at = 0; (at = text.find(kSpace, at)) != std::string::npos;)
        text.replace(at, kSpace.size(), " ");
    }
    put(token.at("id").as_integer(), text, special ? Kind::control : Kind::user_defined);
  }
}

void read_scores(const Json& merges, GgufVocabulary& vocabulary) {
  std::unordered_map<std::string, std::size_t> ranks;
  for (std::size_t rank = 0; rank < merges.as_array().size(); ++rank) {
    ranks.try_emplace(merged_token(merges.as_array()[rank]), rank);
  }
  for (const std::string& token : vocabulary.tokens) {
    const auto rank = ranks.find(token);
    vocabulary.scores.push_back(rank == ranks.end() ? -1e9f : -static_cast<float>(rank->second));
  }
}

/// Whether text gets a space before it; refuses what is not SentencePiece's own treatment of spaces.
bool space_prefix(const Json& tokenizer) {
  bool prefix = false;
  for (const Json* step : steps_of(tokenizer, "normalizer", "normalizers")) {
    const std::string type = text_of(*step, "type");
    if (type == "Prepend" && text_of(*step, "prepend") == kSpace) {
      prefix = true;
    } else if (type != "Replace" || pattern_of(*step) != " " || text_of(*step, "content") != kSpace) {
      refuse("normalizer", *step, "llama.cpp only turns spaces into U+2581");
    }
  }
  for (const Json* step : steps_of(tokenizer, "pre_tokenizer", "pretokenizers")) {
    const std::string type = text_of(*step, "type");
    if (type == "Metaspace") {
      const std::string scheme = text_of(*step, "prepend_scheme");
      prefix = scheme.empty() ? is_true(*step, "add_prefix_space") : scheme != "never";
    } else if (type != "Split" || pattern_of(*step) != " ") {  // spaces are gone before this step, so it does nothing
      refuse("pre_tokenizer", *step, "llama.cpp does not split SentencePiece text");
    }
  }
  return prefix;
}

std::optional<std::int64_t> id_of(const GgufVocabulary& vocabulary, const std::string& token) {
  const auto found = std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), token);
  if (token.empty() || found == vocabulary.tokens.end()) return std::nullopt;
  return found - vocabulary.tokens.begin();
}

/// `key` is "bos": bos_token of tokenizer_config.json (a string or an object), else bos_token_id of config.json.
std::optional<std::int64_t> special_id(const GgufVocabulary& vocabulary, const Json& tokenizer_config,
                                       const Json& config, const std::string& key) {
  const Json* token = tokenizer_config.find(key + "_token");
  if (token != nullptr && token->is_object()) token = token->find("content");
  if (token != nullptr && token->is_string()) {
    if (const auto id = id_of(vocabulary, token->as_string())) return id;
    fail(ErrorKind::data, "tokenizer_config.json: {}_token is {}, which is no token", key, token->dump());
  }
  const Json* id = config.find(key + "_token_id");
  if (id != nullptr && id->is_array() && !id->as_array().empty()) id = &id->as_array()[0];
  if (id == nullptr || !id->is_integer() || id->as_integer() < 0) return std::nullopt;
  if (id->as_integer() >= static_cast<std::int64_t>(vocabulary.tokens.size())) {
    fail(ErrorKind::data, "config.json: {}_token_id is {}, but the vocabulary has {} entries", key, id->as_integer(),
         vocabulary.tokens.size());
  }
  return id->as_integer();
}

/// What the post-processor puts around a text: nothing, bos before it, eos after it.
void read_template(const Json& tokenizer, GgufVocabulary& vocabulary) {
  for (const Json* step : steps_of(tokenizer, "post_processor", "processors")) {
    const std::string type = text_of(*step, "type");
    if (type == "ByteLevel") continue;
    if (type != "TemplateProcessing") refuse("post_processor", Json(type), "llama.cpp only adds bos and eos");
    bool after_text = false;
    for (const Json& piece : step->at("single").as_array()) {
      const Json* special = piece.find("SpecialToken");
      if (special == nullptr) {
        after_text = true;
        continue;
      }
      const auto id = id_of(vocabulary, text_of(*special, "id"));
      bool& flag = after_text ? vocabulary.add_eos : vocabulary.add_bos;
      if (!id || flag || id != (after_text ? vocabulary.eos : vocabulary.bos)) {
        refuse("post_processor.single", *special, "llama.cpp only adds bos and eos");
      }
      flag = true;
    }
  }
}

std::string chat_template_of(const Json& tokenizer_config) {
  const Json* value = tokenizer_config.find("chat_template");
  if (value == nullptr) return "";
  if (value->is_string()) return value->as_string();
  if (!value->is_array()) return "";
  for (const Json& named : value->as_array()) {
    if (text_of(named, "name") == "default") return text_of(named, "template");
  }
  return "";
}

void read_byte_level(const Json& tokenizer, const Json& model, std::int64_t size, GgufVocabulary& vocabulary) {
  vocabulary.model = "gpt2";
  vocabulary.pre = split_name(tokenizer, is_true(model, "ignore_merges"));
  for (const Json* step : steps_of(tokenizer, "normalizer", "normalizers")) {
    if (text_of(*step, "type") != "NFC") refuse("normalizer", *step, "llama.cpp does not normalise byte-level text");
  }
  read_tokens(tokenizer, size, vocabulary);
  for (const Json& merge : model.at("merges").as_array()) vocabulary.merges.push_back(merge_text(merge));
}

void read_sentencepiece(const Json& tokenizer, const Json& model, std::int64_t size, GgufVocabulary& vocabulary) {
  vocabulary.model = "llama";
  vocabulary.pre = "default";
  vocabulary.add_space_prefix = space_prefix(tokenizer);
  read_tokens(tokenizer, size, vocabulary);
  read_scores(model.at("merges"), vocabulary);
  vocabulary.unknown = id_of(vocabulary, text_of(model, "unk_token"));
}

}  // namespace

GgufVocabulary read_gguf_vocabulary(const Json& tokenizer, const Json& tokenizer_config, const Json& config,
                                    std::int64_t size) {
  const Json& model = tokenizer.at("model");
  const std::string type = text_of(model, "type");
  if (type != "BPE" && (!type.empty() || model.find("merges") == nullptr)) {
    refuse("model.type", Json(type), "expected BPE, byte-level or with byte fallback");
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!text_of(model, key).empty()) refuse(std::string("model.") + key, *model.find(key), "expected none");
  }
  GgufVocabulary vocabulary;
  const auto steps = steps_of(tokenizer, "pre_tokenizer", "pretokenizers");
  const bool byte_level =
      std::any_of(steps.begin(), steps.end(), [](const Json* step) { return text_of(*step, "type") == "ByteLevel"; });
  if (byte_level) {
    read_byte_level(tokenizer, model, size, vocabulary);
  } else if (is_true(model, "byte_fallback")) {
    read_sentencepiece(tokenizer, model, size, vocabulary);
  } else {
    refuse("model", Json("BPE"), "it is neither byte-level nor has it byte_fallback");
  }
  vocabulary.bos = special_id(vocabulary, tokenizer_config, config, "bos");
  vocabulary.eos = special_id(vocabulary, tokenizer_config, config, "eos");
  vocabulary.pad = special_id(vocabulary, tokenizer_config, config, "pad");
  if (!vocabulary.unknown) vocabulary.unknown = special_id(vocabulary, tokenizer_config, Json::object(), "unk");
  if (vocabulary.unknown && vocabulary.model == "llama") {
    vocabulary.kinds[static_cast<std::size_t>(*vocabulary.unknown)] = Kind::unknown;
  }
  read_template(tokenizer, vocabulary);
  vocabulary.chat_template = chat_template_of(tokenizer_config);
  return vocabulary;
}

std::vector<std::pair<std::string, GgufValue>> gguf_vocabulary_keys(const GgufVocabulary& vocabulary) {
  std::vector<std::pair<std::string, GgufValue>> keys;
  const auto put = [&keys](const char* key, GgufValue value) {
    keys.emplace_back(std::string("tokenizer.") + key, std::move(value));
  };
  put("ggml.model", vocabulary.model);
  put("ggml.pre", vocabulary.pre);
  put("ggml.tokens", GgufList(vocabulary.tokens));
  if (!vocabulary.scores.empty()) put("ggml.scores", GgufList(vocabulary.scores));
  std::vector<std::int32_t> kinds;
  for (const Kind kind : vocabulary.kinds) kinds.push_back(static_cast<std::int32_t>(kind));
  put("ggml.token_type", GgufList(kinds));
  if (!vocabulary.merges.empty()) put("ggml.merges", GgufList(vocabulary.merges));
  const auto put_id = [&put](const char* key, std::optional<std::int64_t> id) {
    if (id) put(key, static_cast<std::uint32_t>(*id));
  };
  put_id("ggml.bos_token_id", vocabulary.bos);
  put_id("ggml.eos_token_id", vocabulary.eos);
  put_id("ggml.unknown_token_id", vocabulary.unknown);
  put_id("ggml.padding_token_id", vocabulary.pad);
  put("ggml.add_bos_token", vocabulary.add_bos);
  put("ggml.add_eos_token", vocabulary.add_eos);
  if (vocabulary.add_space_prefix) put("ggml.add_space_prefix", *vocabulary.add_space_prefix);
  if (!vocabulary.chat_template.empty()) put("chat_template", vocabulary.chat_template);
  return keys;
}

}  // namespace hone
