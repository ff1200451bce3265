#include "base/json.h"
#include "text/tokenizer_json.h"

#include "support/committed_golden.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

std::vector<std::int32_t> ids_of(const Json& list) {
  std::vector<std::int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

/// The description of a variant with the vocabulary and merges that all share; with `ignore_merges` the merge that
/// gives "Ġthe" is missing, so that the option has something to do.
Json description_of(const Json& variant, const Json& model) {
  Json description = variant.at("description");
  Json own = description.at("model");
  const bool ignore_merges = own.at("ignore_merges").as_bool();
  Json merges = Json::array();
  for (const Json& merge : model.at("merges").as_array()) {
    const bool gives_the = merge.as_array()[0].as_string() + merge.as_array()[1].as_string() == "Ġthe";
    if (!(ignore_merges && gives_the)) merges.push_back(merge);
  }
  own.set("vocab", model.at("vocab"));
  own.set("merges", merges);
  description.set("model", own);
  return description;
}

void check_cases(const Tokenizer& tokenizer, const Json& variant) {
  for (const Json& test : variant.at("cases").as_array()) {
    const std::string& text = test.at("text").as_string();
    INFO(variant.at("name").as_string(), ": ", Json(text).dump());
    const auto parsed = tokenizer.encode(text, AddSpecial::yes, SpecialTokens::parse);
    CHECK(parsed == ids_of(test.at("parsed")));
    CHECK(tokenizer.encode(text) == ids_of(test.at("as_text")));
    CHECK(tokenizer.decode(parsed) == test.at("decoded").as_string());
  }
}

}  // namespace

TEST_CASE("text: ids equal those of the tokenizers library, before and after a round trip through files") {
  const Json golden = test::committed_golden("tokenizers.json");
  const test::Scratch scratch;
  REQUIRE(golden.at("variants").as_array().size() == 6);
  for (const Json& variant : golden.at("variants").as_array()) {
    const std::string name = variant.at("name").as_string();
    const Json description = description_of(variant, golden.at("model"));
    const std::string text = description.dump();
    scratch.file("tokenizer.json", text);
    const auto tokenizer = load_tokenizer(scratch.path());
    check_cases(*tokenizer, variant);
    const test::Scratch copy;
    tokenizer->save(copy.path());
    CHECK(test::contents_of(copy.path() / "tokenizer.json") == text);
  }
}

}  // namespace hone
