#include "predict/token_classification.h"

#include "golden_numbers.h"
#include "support/committed_golden.h"
#include "support/error_of.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

std::string join_wordpiece(std::span<const std::string> spellings) {
  std::string text;
  for (std::size_t i = 0; i < spellings.size(); ++i) {
    const bool glued = spellings[i].starts_with("##") && i > 0;
    text += glued ? spellings[i].substr(2) : (i > 0 ? " " : "") + spellings[i];
  }
  return text;
}

std::string join_bytelevel(std::span<const std::string> spellings) {
  std::string text;
  for (const std::string& spelling : spellings) text += spelling;
  for (std::size_t at = 0; (at = text.find("Ġ", at)) != std::string::npos;)
    text.replace(at, std::string_view("Ġ").size(), " ");
  return text;
}

Aggregation aggregation_of(const std::string& name) {
  return name == "none"      ? Aggregation::none
         : name == "simple"  ? Aggregation::simple
         : name == "first"   ? Aggregation::first
         : name == "average" ? Aggregation::average
                             : Aggregation::max;
}

std::vector<TaggedToken> tokens_of(const Json& test) {
  std::vector<TaggedToken> tokens;
  const std::vector<std::string> spellings = test::texts_of(test.at("tokens"));
  for (std::size_t i = 0; i < spellings.size(); ++i) {
    const Json::Array& offsets = test.at("offsets").as_array()[i].as_array();
    tokens.push_back({.spelling = spellings[i],
                      .begin = static_cast<std::size_t>(offsets[0].as_integer()),
                      .end = static_cast<std::size_t>(offsets[1].as_integer()),
                      .special = test.at("special").as_array()[i].as_integer() == 1,
                      .unknown = test.at("unk").is_string() && spellings[i] == test.at("unk").as_string()});
  }
  return tokens;
}

}  // namespace

TEST_CASE("predict: entities are those of transformers' token-classification, for every aggregation") {
  const Json golden = test::committed_golden("pipelines.json");
  std::size_t entities = 0;
  for (const Json& test : golden.at("token_classification").as_array()) {
    INFO(test.dump());
    const bool wordpiece = test.at("tokenizer").as_string() == "wordpiece";
    const TokenClassifier classifier{.labels = test::texts_of(test.at("labels")),
                                     .aggregation = aggregation_of(test.at("strategy").as_string()),
                                     .ignored = test::texts_of(test.at("ignored")),
                                     .marks_subwords = wordpiece,
                                     .join = wordpiece ? join_wordpiece : join_bytelevel};
    const std::vector<TaggedToken> tokens = tokens_of(test);
    const auto found =
        find_entities(classifier, {test.at("text").as_string(), tokens, test::floats_of(test.at("logits"))});
    test::check_json_near(to_json(found), test.at("expected"));
    entities += found.size();
  }
  MESSAGE(entities, " entities");
}

TEST_CASE("predict: of overlapping entities the longest stays") {
  const Json golden = test::committed_golden("pipelines.json");
  const Json& test = golden.at("overlapping");
  std::vector<Entity> entities;
  for (const Json& item : test.at("entities").as_array()) {
    entities.push_back({.label = item.at("entity_group").as_string(),
                        .score = static_cast<float>(item.at("score").as_number()),
                        .word = item.at("word").as_string(),
                        .start = item.at("start").as_integer(),
                        .end = item.at("end").as_integer()});
  }
  test::check_json_near(to_json(merge_overlapping(entities)), test.at("expected"));
  CHECK(merge_overlapping({}).empty());
}

TEST_CASE("predict: tokens that do not fit logits or text are refused") {
  const TokenClassifier classifier{.labels = {"O", "X"}, .join = join_wordpiece};
  const std::vector<TaggedToken> tokens{{.spelling = "a", .begin = 0, .end = 1},
                                        {.spelling = "b", .begin = 3, .end = 9}};
  HONE_CHECK_ERROR(data, find_entities(classifier, {"a b", tokens, std::vector<float>(3)}),
                   "3 logits for 2 tokens and 2 labels");
  HONE_CHECK_ERROR(data, find_entities(classifier, {"a b", tokens, std::vector<float>(4)}),
                   "token 1 covers bytes 3 to 9");
  CHECK(find_entities(classifier, {"", {}, {}}).empty());
}

}  // namespace hone
