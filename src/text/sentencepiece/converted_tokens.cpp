#include "text/sentencepiece/converted_tokens.h"

#include "base/error.h"

#include <array>
#include <charconv>

namespace hone {

ConvertedTokens::Token ConvertedTokens::read(const JsonField& field, bool special) {
  if (field.value().is_string()) return {.text = field.string(), .special = special};
  return {.text = field["content"].string(),
          .lstrip = field.flag("lstrip"),
          .rstrip = field.flag("rstrip"),
          .single_word = field.flag("single_word"),
          .normalized = field.flag("normalized"),
          .special = field.flag("special", special)};
}

ConvertedTokens::ConvertedTokens(const SentencePieceModel& model, const JsonField& config, const Names& defaults,
                                 const std::vector<std::string>& sentinels) {
  for (const auto& piece : model.pieces) vocabulary_.emplace(piece.text, static_cast<std::int64_t>(vocabulary_.size()));
  for (const std::string& text : sentinels) vocabulary_.emplace(text, static_cast<std::int64_t>(vocabulary_.size()));
  if (!config["added_tokens_decoder"].is_null()) add_decoder(config["added_tokens_decoder"]);
  constexpr std::array names = {"bos_token", "eos_token", "unk_token", "sep_token",
                                "pad_token", "cls_token", "mask_token"};
  for (const std::string key : names) {
    if (const JsonField field = config[key]; !field.is_null()) {
      const Token token = read(field, true);
      named_[key] = token.text;
      add(token);
      continue;
    }
    for (const auto& [name, text] : defaults) {
      if (name != key) continue;
      named_[key] = text;
      add({.text = text});
    }
  }
  const JsonField additional = config["additional_special_tokens"];
  if (!additional.is_null()) {
    for (std::size_t i = 0; i < additional.array().size(); ++i) add(read(additional.element(i), true));
  }
  if (!additional.is_null() && !sentinels.empty()) return;
  for (const auto& piece : model.pieces) {
    const bool control = piece.type == SentencePieceModel::PieceType::control;
    if (control || piece.type == SentencePieceModel::PieceType::user_defined) {
      add({.text = piece.text, .special = control});
    }
  }
  for (const std::string& text : sentinels) add({.text = text});
}

void ConvertedTokens::add_decoder(const JsonField& decoder) {
  std::map<std::int64_t, Token> tokens;
  for (const auto& [key, value] : decoder.object()) {
    std::int64_t id = -1;
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id);
    if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || id < 0) {
      fail(ErrorKind::data, "{}: expected an id, found \"{}\"", decoder.where(), key);
    }
    tokens[id] = read(decoder[key], false);
  }
  for (const auto& [id, token] : tokens) {
    add(token);
    if (id_of(token.text) == id) continue;
    fail(ErrorKind::data,
         "{}: \"{}\" has the id {}, but {} is its place: the vocabulary and the tokens before it end "
         "there",
         decoder.where(), token.text, id, id_of(token.text));
  }
}

void ConvertedTokens::add(const Token& token) {
  if (token.text.empty()) fail(ErrorKind::data, "tokenizer_config.json: a special token is empty");
  const auto [place, is_new] = vocabulary_.emplace(token.text, static_cast<std::int64_t>(vocabulary_.size()));
  added_.emplace(place->second, token);
}

std::int64_t ConvertedTokens::id_of(const std::string& token) const { return vocabulary_.at(token); }

Json ConvertedTokens::added() const {
  Json tokens = Json::array();
  for (const auto& [id, token] : added_) {
    tokens.push_back(Json(Json::Object{{"id", id},
                                       {"content", token.text},
                                       {"single_word", token.single_word},
                                       {"lstrip", token.lstrip},
                                       {"rstrip", token.rstrip},
                                       {"normalized", token.normalized},
                                       {"special", token.special}}));
  }
  return tokens;
}

}  // namespace hone
