#include "text/sentencepiece/conversion.h"

#include "base/error.h"
#include "text/base64.h"
#include "text/sentencepiece/converted_tokens.h"
#include "text/tokenizer_json_fields.h"

#include <algorithm>
#include <unordered_map>

namespace hone {
namespace {

Json object(std::initializer_list<Json::Member> members) { return Json(Json::Object(members)); }
Json list(std::initializer_list<Json> items) { return Json(Json::Array(items)); }

Json metaspace(const char* scheme, bool split) {
  return object({{"type", "Metaspace"}, {"replacement", kSpaceMark}, {"prepend_scheme", scheme}, {"split", split}});
}

/// Every way to make a piece of two others; by the piece's id, then from the shortest first part.
Json all_merges(const SentencePieceModel& model) {
  std::unordered_map<std::string_view, bool> known;
  for (const auto& piece : model.pieces) known.emplace(piece.text, true);
  Json merges = Json::array();
  for (const auto& piece : model.pieces) {
    const std::string_view text = piece.text;
    for (std::size_t at = 1; at < text.size(); ++at) {
      if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;  // inside a character
      if (!known.contains(text.substr(0, at)) || !known.contains(text.substr(at))) continue;
      merges.push_back(list({text.substr(0, at), text.substr(at)}));
    }
  }
  return merges;
}

Json special_item(const std::string& token, int type_id) {
  return object({{"SpecialToken", object({{"id", token}, {"type_id", type_id}})}});
}
Json text_item(const char* sequence, int type_id) {
  return object({{"Sequence", object({{"id", sequence}, {"type_id", type_id}})}});
}

/// Puts `before` and `after` around a text, and around each of a pair; "": nothing.
Json template_processing(const ConvertedTokens& tokens, const std::string& before, const std::string& after,
                         int second_type) {
  const auto around = [&](Json& items, const char* sequence, int type_id) {
    if (!before.empty()) items.push_back(special_item(before, type_id));
    items.push_back(text_item(sequence, type_id));
    if (!after.empty()) items.push_back(special_item(after, type_id));
  };
  Json single = Json::array();
  Json pair = Json::array();
  around(single, "A", 0);
  around(pair, "A", 0);
  around(pair, "B", second_type);
  Json special = Json::object();
  for (const std::string& token : {before, after}) {
    if (token.empty()) continue;
    special.set(token, object({{"id", token}, {"ids", list({tokens.id_of(token)})}, {"tokens", list({token})}}));
  }
  return object({{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special}});
}

Json document(const ConvertedTokens& tokens) {
  return object({{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", tokens.added()}});
}

Json llama(const SentencePieceModel& model, const JsonField& config) {
  const ConvertedTokens tokens(model, config, {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}},
                               {});
  const bool prefix = config.flag("add_prefix_space", true);
  Json vocab = Json::object();
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    vocab.as_object().emplace_back(model.pieces[id].text, static_cast<std::int64_t>(id));
  }
  Json steps = list({object({{"type", "Replace"}, {"pattern", object({{"String", kSpaceMark}})}, {"content", " "}}),
                     object({{"type", "ByteFallback"}}), object({{"type", "Fuse"}})});
  if (prefix) steps.push_back(object({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}));
  const char* scheme = !prefix ? "never" : config.flag("legacy") ? "always" : "first";
  Json json = document(tokens);
  json.set("normalizer", nullptr);
  json.set("pre_tokenizer", metaspace(scheme, false));
  json.set("post_processor", template_processing(tokens, config.flag("add_bos_token") ? tokens.named("bos_token") : "",
                                                 config.flag("add_eos_token") ? tokens.named("eos_token") : "", 1));
  json.set("decoder", object({{"type", "Sequence"}, {"decoders", steps}}));
  json.set("model", object({{"type", "BPE"},
                            {"dropout", nullptr},
                            {"unk_token", nullptr},
                            {"continuing_subword_prefix", nullptr},
                            {"end_of_word_suffix", nullptr},
                            {"fuse_unk", true},
                            {"byte_fallback", true},
                            {"ignore_merges", false},
                            {"vocab", vocab},
                            {"merges", all_merges(model)}}));
  return json;
}

Json t5(const SentencePieceModel& model, const JsonField& config) {
  const std::int64_t extra = config["extra_ids"].is_null() ? 100 : config["extra_ids"].integer();
  if (extra < 0 || extra > 100'000) config["extra_ids"].refuse(std::to_string(extra));
  std::vector<std::string> sentinels;
  for (std::int64_t i = extra; i-- > 0;) sentinels.push_back(fmt::format("<extra_id_{}>", i));
  const ConvertedTokens tokens(model, config, {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}},
                               sentinels);
  Json vocab = Json::array();
  for (const auto& piece : model.pieces) {
    vocab.push_back(list({piece.text, static_cast<double>(piece.score)}));
  }
  for (const std::string& token : sentinels) vocab.push_back(list({token, 0.0}));
  Json json = document(tokens);
  json.set("normalizer", model.charsmap.empty()
                             ? Json()
                             : object({{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(model.charsmap)}}));
  json.set("pre_tokenizer",
           object({{"type", "Sequence"},
                   {"pretokenizers", list({object({{"type", "WhitespaceSplit"}}), metaspace("always", true)})}}));
  json.set("post_processor", template_processing(tokens, "", tokens.named("eos_token"), 0));
  json.set("decoder", metaspace("always", true));
  json.set("model", object({{"type", "Unigram"}, {"unk_id", 2}, {"vocab", vocab}, {"byte_fallback", false}}));
  return json;
}

}  // namespace

Json sentencepiece_to_tokenizer_json(const SentencePieceModel& model, const Json& config, const std::string& source) {
  using Algorithm = SentencePieceModel::Algorithm;
  const JsonField field(config, source);
  std::string name = field["tokenizer_class"].string();
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  if (name != "LlamaTokenizer" && name != "T5Tokenizer") {
    field["tokenizer_class"].refuse("\"" + name + "\" without a tokenizer.json");
  }
  const bool is_llama = name == "LlamaTokenizer";
  if (model.algorithm != (is_llama ? Algorithm::bpe : Algorithm::unigram)) {
    field["tokenizer_class"].refuse("\"" + name + "\" beside a SentencePiece model of another type");
  }
  return is_llama ? llama(model, field) : t5(model, field);
}

}  // namespace hone
