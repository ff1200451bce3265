#include "text/wordpiece_trainer.h"

#include "support/committed_golden.h"
#include "support/error_of.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

namespace hone {
namespace {

WordCounts words_of(const std::vector<std::pair<std::string, int>>& counts) {
  WordCounts words;
  for (const auto& [word, count] : counts) {
    for (int i = 0; i < count; ++i) words.add(word);
  }
  return words;
}

using Tokens = std::vector<std::string>;

}  // namespace

TEST_CASE("text: WordPiece training merges pairs behind characters with and without the prefix") {
  const WordCounts words = words_of({{"low", 5}, {"lower", 2}, {"newest", 6}, {"widest", 3}});
  const Tokens tokens = train_wordpiece(words, {.vocab_size = 25, .special_tokens = {"[UNK]"}, .initial_alphabet = {}});
  CHECK(Tokens(tokens.begin(), tokens.begin() + 11) ==
        Tokens{"[UNK]", "d", "e", "i", "l", "n", "o", "r", "s", "t", "w"});
  CHECK(Tokens(tokens.begin() + 11, tokens.begin() + 19) ==
        Tokens{"##o", "##w", "##e", "##r", "##s", "##t", "##i", "##d"});
  // "##es" and "##st" are 9 each: the lower ids first.
  CHECK(tokens[19] == "##es");
  CHECK(tokens[20] == "##est");
}

TEST_CASE("text: WordPiece training learns what the tokenizers library learns, up to ties") {
  const Json golden = test::committed_golden("tokenizer_training.json");
  for (const Json& test : golden.at("wordpiece").as_array()) {
    INFO(test.at("vocab_size").dump());
    // The golden texts, lowercased and without accents, cut at white space and punctuation, are ASCII and Cyrillic.
    WordCounts words;
    for (const Json& word : golden.at("words").as_array()) words.add(word.as_string());
    WordPieceTrainerOptions options{.vocab_size = static_cast<std::int32_t>(test.at("vocab_size").as_integer()),
                                    .special_tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"},
                                    .initial_alphabet = {}};
    if (const Json* least = test.find("min_frequency")) options.min_frequency = least->as_integer();
    if (const Json* limit = test.find("limit_alphabet"))
      options.limit_alphabet = static_cast<std::int32_t>(limit->as_integer());
    const Tokens tokens = train_wordpiece(words, options);
    std::set<std::string> expected;
    for (const Json& token : test.at("tokens").as_array()) expected.insert(token.as_string());
    CHECK(tokens.size() == expected.size());
    const auto common =
        std::count_if(tokens.begin(), tokens.end(), [&](const auto& token) { return expected.contains(token); });
    CHECK(static_cast<std::size_t>(common) >= expected.size() * 95 / 100);
  }
}

TEST_CASE("text: a limited alphabet keeps the most frequent characters, and those that are asked for") {
  const WordCounts words = words_of({{"aab", 5}, {"ca", 1}, {"z", 2}});
  const Tokens tokens = train_wordpiece(words, {.vocab_size = 20, .limit_alphabet = 3, .initial_alphabet = U"é"});
  CHECK(Tokens(tokens.begin(), tokens.begin() + 3) == Tokens{"a", "b", "é"});
  CHECK(std::count(tokens.begin(), tokens.end(), "z") == 0);
  CHECK(std::count(tokens.begin(), tokens.end(), "##a") == 1);
}

TEST_CASE("text: WordPiece training refuses what cannot be trained") {
  const WordCounts words = words_of({{"ab", 2}});
  HONE_CHECK_ERROR(data, train_wordpiece({}, {.initial_alphabet = {}}), "no words");
  HONE_CHECK_ERROR(config, train_wordpiece(words, {.vocab_size = 2, .initial_alphabet = {}}), "vocab_size 2", "need 3");
  HONE_CHECK_ERROR(config, train_wordpiece(words, {.min_frequency = 0, .initial_alphabet = {}}), "min_frequency");
  HONE_CHECK_ERROR(config, train_wordpiece(words, {.limit_alphabet = 0, .initial_alphabet = {}}), "limit_alphabet");
  HONE_CHECK_ERROR(config, train_wordpiece(words, {.special_tokens = {""}, .initial_alphabet = {}}), "empty");
}

}  // namespace hone
