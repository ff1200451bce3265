#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "text/tokenizer_json.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

using Ids = std::vector<std::int32_t>;

Ids ids_of(const Json& list) {
  Ids ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

std::vector<TextRange> ranges_of(const Json& list) {
  std::vector<TextRange> ranges;
  for (const Json& range : list.as_array()) {
    ranges.push_back({static_cast<std::size_t>(range.as_array()[0].as_integer()),
                      static_cast<std::size_t>(range.as_array()[1].as_integer())});
  }
  return ranges;
}

std::unique_ptr<Tokenizer> tokenizer_of(const Json& golden, const Json& variant) {
  Json description = variant.at("description");
  description.set("model", golden.at("models").at(variant.at("model").as_string()));
  return tokenizer_from_json(description, TokenizerConfig(), variant.at("name").as_string(),
                             [](const std::filesystem::path&) {});
}

/// Id by id; every part is valid UTF-8 by itself.
std::string streamed(const Tokenizer& tokenizer, const Ids& ids, SkipSpecial skip) {
  std::string text;
  const auto stream = tokenizer.decode_stream(skip);
  for (const std::int32_t id : ids) {
    const std::string part = stream->push(id);
    CHECK(first_invalid_utf8(part) == std::string::npos);
    text += part;
  }
  return text + stream->finish();
}

void check_case(const Tokenizer& tokenizer, const Json& test) {
  const Json::Array& texts = test.at("texts").as_array();
  TextPair pair{texts[0].as_string(), std::nullopt};
  if (texts.size() == 2) pair.second = texts[1].as_string();
  const Ids ids = ids_of(test.at("ids"));
  const EncodedText encoded = tokenizer.encode_with_offsets(pair, AddSpecial::yes, SpecialTokens::parse);
  CHECK(encoded.ids == ids);
  CHECK(encoded.type_ids == ids_of(test.at("types")));
  CHECK(encoded.offsets == ranges_of(test.at("offsets")));
  if (!pair.second) CHECK(tokenizer.encode(pair.first, AddSpecial::yes, SpecialTokens::parse) == ids);
  CHECK(tokenizer.decode(ids) == test.at("decoded").as_string());
  CHECK(tokenizer.decode(ids, SkipSpecial::no) == test.at("kept").as_string());
  CHECK(streamed(tokenizer, ids, SkipSpecial::yes) == test.at("decoded").as_string());
  CHECK(streamed(tokenizer, ids, SkipSpecial::no) == test.at("kept").as_string());
}

}  // namespace

TEST_CASE("text: every component gives what the tokenizers library gives: ids, type ids, offsets, text") {
  const Json golden = test::committed_golden("tokenizer_kinds.json");
  int cases = 0;
  for (const Json& variant : golden.at("variants").as_array()) {
    const auto tokenizer = tokenizer_of(golden, variant);
    for (const Json& test : variant.at("cases").as_array()) {
      INFO(variant.at("name").as_string(), ": ", test.at("texts").dump());
      check_case(*tokenizer, test);
      ++cases;
    }
  }
  CHECK(cases > 1300);
}

TEST_CASE("text: broken UTF-8 is read as U+FFFD, with offsets in the broken text") {
  const Json golden = test::committed_golden("tokenizer_kinds.json");
  const Json* variant = nullptr;
  for (const Json& one : golden.at("variants").as_array()) {
    if (one.at("name").as_string() == "whitespace split") variant = &one;
  }
  REQUIRE(variant != nullptr);
  const auto tokenizer = tokenizer_of(golden, *variant);
  const std::string broken = "the \xE3\x81 dog \xFF\xFE over";
  CHECK(tokenizer->encode(broken) == tokenizer->encode(valid_utf8(broken)));
  const EncodedText encoded = tokenizer->encode_with_offsets({broken, std::nullopt});
  CHECK(encoded.offsets == std::vector<TextRange>{{0, 3}, {4, 6}, {7, 10}, {11, 13}, {14, 18}});
  for (std::size_t cut = 0; cut <= broken.size(); ++cut) {
    const std::string part = broken.substr(0, cut);
    CHECK(tokenizer->encode(part) == tokenizer->encode(valid_utf8(part)));
  }
}

TEST_CASE("text: damaged tokenizer files are told, never followed") {
  const Json golden = test::committed_golden("tokenizer_kinds.json");
  const test::Scratch scratch;
  int refused = 0;
  for (const Json& variant : golden.at("variants").as_array()) {
    const std::string text = variant.at("description").dump();
    for (std::size_t at = 0; at < text.size(); at += 7) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x11);
      damaged.insert(damaged.size() - 1, R"(,"model":{"type":"WordLevel","vocab":{"<unk>":0},"unk_token":"<unk>"})");
      try {
        tokenizer_from_json(Json::parse(damaged, "damaged"), TokenizerConfig(), "damaged", [](const auto&) {})
            ->encode("the dog 12");
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::data);
        ++refused;
      }
    }
  }
  CHECK(refused > 1000);
}

}  // namespace hone
