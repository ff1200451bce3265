#include "text/sentencepiece/conversion.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "text/base64.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

namespace hone {
namespace {

SentencePieceModel model_of(const Json& golden, std::string_view name) {
  for (const Json& small : golden.at("small").as_array()) {
    if (small.at("name").as_string() == name) {
      return parse_sentencepiece(*from_base64(small.at("model").as_string()), "golden");
    }
  }
  throw std::runtime_error("no such model");
}

Json converted(std::string_view name, std::string_view config) {
  const Json golden = test::committed_golden("sentencepiece.json");
  return sentencepiece_to_tokenizer_json(model_of(golden, name), Json::parse(config, "config"), "dir");
}

/// The tokens of a vocabulary by id, whether it is an object or a list with scores.
std::vector<std::string> tokens_of(const Json& vocab) {
  std::vector<std::string> tokens;
  if (vocab.is_array()) {
    for (const Json& entry : vocab.as_array()) tokens.push_back(entry.as_array()[0].as_string());
  } else {
    for (const auto& [token, id] : vocab.as_object()) tokens.push_back(token);
  }
  return tokens;
}

/// Objects compare by their keys' order, so keys are sorted first.
Json sorted(const Json& value) {
  if (value.is_array()) {
    Json result = Json::array();
    for (const Json& item : value.as_array()) result.push_back(sorted(item));
    return result;
  }
  if (!value.is_object()) return value;
  std::map<std::string, Json> members;
  for (const auto& [key, member] : value.as_object()) members.emplace(key, sorted(member));
  Json result = Json::object();
  for (const auto& [key, member] : members) result.set(key, member);
  return result;
}

}  // namespace

TEST_CASE("text: a SentencePiece file becomes the tokenizer.json that transformers makes of it") {
  const Json golden = test::committed_golden("sentencepiece.json");
  REQUIRE(golden.at("converted").as_array().size() == 7);
  for (const Json& test : golden.at("converted").as_array()) {
    INFO(test.at("name").as_string(), " ", test.at("config").dump());
    const SentencePieceModel model = model_of(golden, test.at("name").as_string());
    Json json = sentencepiece_to_tokenizer_json(model, test.at("config"), "golden");
    Json own = json.at("model");
    std::vector<std::string> expected;
    for (const Json& token : test.at("tokens").as_array()) expected.push_back(token.as_string());
    auto tokens = tokens_of(own.at("vocab"));
    if (own.at("vocab").is_object())
      std::sort(tokens.begin(), tokens.end()), std::sort(expected.begin(), expected.end());
    CHECK(tokens == expected);
    CHECK(own.at("type").as_string() == (own.find("merges") != nullptr ? "BPE" : "Unigram"));
    Json description = test.at("description");
    if (const Json* merges = description.at("model").find("merges")) CHECK(own.at("merges") == *merges);
    Json rest = Json::object();
    for (const auto& [key, value] : own.as_object()) {
      if (key != "type" && key != "vocab") rest.set(key, value);
    }
    json.set("model", rest);
    if (!json.at("normalizer").is_null()) {
      CHECK(from_base64(json.at("normalizer").at("precompiled_charsmap").as_string()) == model.charsmap);
      Json normalizer = json.at("normalizer");
      normalizer.set("precompiled_charsmap", "");
      json.set("normalizer", normalizer);
    }
    CHECK(sorted(json) == sorted(description));
  }
}

TEST_CASE("text: classes whose conversion is not known are refused by name") {
  HONE_CHECK_ERROR(data, converted("bpe_bytes", R"({"tokenizer_class": "XLNetTokenizer"})"), "tokenizer_class",
                   "XLNetTokenizer");
  HONE_CHECK_ERROR(data, converted("bpe_bytes", R"({"tokenizer_class": "T5Tokenizer"})"), "T5Tokenizer",
                   "another type");
  HONE_CHECK_ERROR(data, converted("t5", R"({"tokenizer_class": "LlamaTokenizer"})"), "LlamaTokenizer");
  HONE_CHECK_ERROR(data, converted("t5", R"({"tokenizer_class": "T5Tokenizer", "extra_ids": -1})"), "extra_ids");
  HONE_CHECK_ERROR(data, converted("bpe_bytes", R"({"tokenizer_class": "LlamaTokenizer", "pad_token": ""})"), "empty");
  HONE_CHECK_ERROR(data, converted("bpe_bytes", R"({"tokenizer_class": "LlamaTokenizer",
                      "added_tokens_decoder": {"9000": {"content": "<pad>", "special": true}}})"),
                   "<pad>", "9000");
}

}  // namespace hone
