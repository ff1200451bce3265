#include "text/unigram.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "text/base64.h"
#include "text/sentencepiece/model.h"

#include <doctest/doctest.h>

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

std::vector<std::int32_t> ids_of(const UnigramModel& model, std::string_view piece) {
  std::vector<Subword> tokens;
  model.tokenize(piece, tokens);
  std::vector<std::int32_t> ids;
  for (const Subword& token : tokens) ids.push_back(token.id);
  return ids;
}

/// Places in code points, as Python counts them.
std::vector<std::int64_t> character_places(std::string_view text) {
  std::vector<std::int64_t> places;
  std::int64_t characters = -1;
  for (const char c : text)
    places.push_back((static_cast<unsigned char>(c) & 0xC0) == 0x80 ? characters : ++characters);
  places.push_back(characters + 1);
  return places;
}

}  // namespace

TEST_CASE("text: Unigram gives the ids and offsets of the tokenizers library") {
  const Json golden = test::committed_golden("sentencepiece.json");
  REQUIRE(golden.at("unigram").as_array().size() == 6);
  for (const Json& variant : golden.at("unigram").as_array()) {
    const SentencePieceModel pieces = model_of(golden, variant.at("name").as_string());
    UnigramSpec spec{.unknown = pieces.unknown_id, .byte_fallback = variant.at("byte_fallback").as_bool()};
    for (const auto& piece : pieces.pieces) {
      spec.tokens.push_back(piece.text);
      spec.scores.push_back(piece.score);
    }
    const UnigramModel model(std::move(spec), "golden");
    for (const Json& test : variant.at("cases").as_array()) {
      const std::string& text = test.at("text").as_string();
      if (text.empty()) continue;
      INFO(variant.at("name").as_string(), " ", test.at("text").dump());
      std::vector<Subword> tokens;
      model.tokenize(text, tokens);
      const Json::Array& ids = test.at("ids").as_array();
      const std::vector<std::int64_t> places = character_places(text);
      REQUIRE(tokens.size() == ids.size());
      for (std::size_t i = 0; i < tokens.size(); ++i) {
        CHECK(tokens[i].id == ids[i].as_integer());
        CHECK(places[tokens[i].begin] == test.at("offsets").as_array()[i].as_array()[0].as_integer());
        CHECK(places[tokens[i].end] == test.at("offsets").as_array()[i].as_array()[1].as_integer());
      }
    }
  }
}

TEST_CASE("text: Unigram takes the greatest sum, unknown runs as one token, and bytes where there are all") {
  UnigramSpec spec{.tokens = {"<unk>", "a", "b", "c", "d", "cd", "ab", "abc", "abcd"},
                   .scores = {0, 0, 0, 0, 0, 1, 2, 5, 10},
                   .unknown = 0};
  const UnigramModel model(spec, "m");
  CHECK(ids_of(model, "abcdacdxx") == std::vector<std::int32_t>{8, 1, 5, 0});
  CHECK(ids_of(model, "x<unk>é") == std::vector<std::int32_t>{0});
  CHECK(model.token_to_id("abcd") == 8);
  CHECK(!model.token_to_id("x"));
  CHECK(model.id_to_token(5) == "cd");
  spec.byte_fallback = true;
  spec.tokens.insert(spec.tokens.end(), {"<0xC3>", "<0xA9>"});
  spec.scores.insert(spec.scores.end(), {0, 0});
  const UnigramModel bytes(spec, "m");
  CHECK(ids_of(bytes, "aé") == std::vector<std::int32_t>{1, 9, 10});
  CHECK(ids_of(bytes, "éx") == std::vector<std::int32_t>{0});  // one of the run's bytes has no token
}

TEST_CASE("text: the last of equal tokens counts, and empty ones never match") {
  const UnigramModel model({.tokens = {"<unk>", "a", "", "a"}, .scores = {0, -1, 5, -2}, .unknown = 0}, "m");
  CHECK(ids_of(model, "aa") == std::vector<std::int32_t>{3, 3});
}

TEST_CASE("text: Unigram takes linear time on long runs") {
  const UnigramModel model(
      {.tokens = {"<unk>", "a", "aa", std::string(40, 'a')}, .scores = {0, -1, -1.5, -5}, .unknown = 0}, "m");
  for (const char* unit : {"a", " ", "🙂"}) {
    std::string text;
    while (text.size() < 1'000'000) text += unit;
    std::vector<Subword> tokens;
    model.tokenize(text, tokens);
    CHECK(tokens.back().end == text.size());
  }
}

TEST_CASE("text: a Unigram vocabulary that contradicts itself is refused") {
  HONE_CHECK_ERROR(data, UnigramModel({}, "t.json"), "t.json", "empty");
  HONE_CHECK_ERROR(data, UnigramModel({.tokens = {"a", "b"}, .scores = {1}}, "t.json"), "2 tokens", "1 scores");
  HONE_CHECK_ERROR(data, UnigramModel({.tokens = {"a"}, .scores = {NAN}}, "t.json"), "\"a\"", "nan");
  HONE_CHECK_ERROR(data, UnigramModel({.tokens = {"a"}, .scores = {1}, .unknown = 1}, "t.json"), "unk_id 1");
  const UnigramModel model({.tokens = {"a"}, .scores = {1}}, "t.json");
  std::vector<Subword> tokens;
  HONE_CHECK_ERROR(data, model.tokenize("ab", tokens), "\"b\"", "unk_id");
}

}  // namespace hone
