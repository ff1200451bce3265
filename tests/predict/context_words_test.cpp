#include "predict/context_words.h"

#include "golden_numbers.h"
#include "support/committed_golden.h"

#include <doctest/doctest.h>

namespace hone {

TEST_CASE("predict: tokens are of the same word where the tokenizers library says so") {
  const Json golden = test::committed_golden("context_words.json");
  std::size_t pairs = 0;
  for (const Json& test : golden.at("cases").as_array()) {
    INFO(test.dump());
    const std::string& name = test.at("rule").as_string();
    const WordRule rule = name == "subword_marks" ? WordRule::subword_marks
                          : name == "byte_level"  ? WordRule::byte_level
                                                  : WordRule::spaces;
    std::vector<ContextToken> tokens;
    for (const Json& offsets : test.at("offsets").as_array()) {
      const std::vector<std::int32_t> range = test::ids_of(offsets);
      tokens.push_back({static_cast<std::size_t>(range[0]), static_cast<std::size_t>(range[1])});
    }
    number_words(test.at("text").as_string(), rule, test::texts_of(test.at("tokens")), tokens);
    const std::vector<std::int32_t> words = test::ids_of(test.at("words"));
    REQUIRE(words.size() == tokens.size());
    for (std::size_t i = 1; i < words.size(); ++i, ++pairs) {
      CAPTURE(i);
      CHECK((tokens[i].word == tokens[i - 1].word) == (words[i] == words[i - 1]));
    }
  }
  MESSAGE(pairs, " neighbours");
}

TEST_CASE("predict: no tokens, no words") {
  number_words("", WordRule::byte_level, {}, {});
  number_words("", WordRule::spaces, {}, {});
  std::vector<ContextToken> tokens{{0, 1}};
  const std::vector<std::string> spellings{"##a"};
  number_words("a", WordRule::subword_marks, spellings, tokens);
  CHECK(tokens[0].word == 0);
}

}  // namespace hone
