#include "text/unigram_trainer.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "text/unigram_trainer_seeds.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

namespace hone {
namespace {

/// Words of the golden texts as Metaspace makes them.
WordCounts golden_words(const Json& golden) {
  WordCounts words;
  for (const Json& text : golden.at("texts").as_array()) {
    std::string rest = text.as_string() + " ";
    while (!rest.empty()) {
      words.add("▁" + rest.substr(0, rest.find(' ')));
      rest.erase(0, rest.find(' ') + 1);
    }
  }
  return words;
}

WordCounts words_of(const std::map<std::string, int>& counts) {
  WordCounts words;
  for (const auto& [word, count] : counts) {
    for (int i = 0; i < count; ++i) words.add(word);
  }
  return words;
}

UnigramTrainerOptions golden_options(const Json& test) {
  return {.vocab_size = static_cast<std::int32_t>(test.at("vocab_size").as_integer()),
          .special_tokens = {"<pad>", "<unk>"},
          .initial_alphabet = {}};
}

/// Sum of the scores of the best cuts of all words.
double likelihood(UnigramSpec spec, const WordCounts& words) {
  const UnigramModel model(std::move(spec), "trained");
  double sum = 0;
  for (const WordCounts::Word& word : words.words()) {
    std::vector<Subword> tokens;
    model.tokenize(words.text(word), tokens);
    for (const Subword& token : tokens) {
      sum += static_cast<double>(word.count) * model.spec().scores[static_cast<std::size_t>(token.id)];
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("text: Unigram training starts from characters and repeated substrings") {
  WordCounts words;
  words.add("This is a");
  words.add("こんにちは友達");
  const TrainingText text(words);
  std::vector<std::string> pieces;
  for (const SeedPiece& piece : find_seeds(text, 16, 1000).pieces) pieces.push_back(text.spell(piece.at, piece.length));
  CHECK(pieces ==
        std::vector<std::string>{"s", "i", " ", "達", "友", "ん", "は", "に", "ち", "こ", "h", "a", "T", "is ", "s "});
  CHECK(find_seeds(text, 2, 1000).pieces.size() == 14);
  CHECK(find_seeds(text, 16, 14).pieces.size() == 14);
}

TEST_CASE("text: EM without pruning gives the scores of the tokenizers library") {
  const Json golden = test::committed_golden("tokenizer_training.json");
  const Json& test = golden.at("unigram").as_array()[0];
  const UnigramSpec spec = train_unigram(golden_words(golden), golden_options(test));
  std::map<std::string, double> scores;
  for (std::size_t i = 0; i < spec.tokens.size(); ++i) scores[spec.tokens[i]] = spec.scores[i];
  REQUIRE(test.at("vocab").as_array().size() == scores.size());
  for (const Json& entry : test.at("vocab").as_array()) {
    const std::string& token = entry.as_array()[0].as_string();
    INFO(token);
    REQUIRE(scores.contains(token));
    // Characters that EM dropped get scores in an order that is chance there.
    CHECK(scores[token] == doctest::Approx(entry.as_array()[1].as_number()).epsilon(5e-4));
  }
}

TEST_CASE("text: a pruned Unigram vocabulary is as likely as the tokenizers library's, within 1 %") {
  const Json golden = test::committed_golden("tokenizer_training.json");
  const Json& test = golden.at("unigram").as_array()[1];
  const WordCounts words = golden_words(golden);
  const UnigramSpec spec = train_unigram(words, golden_options(test));
  UnigramSpec theirs{.unknown = 1};
  std::size_t common = 0;
  for (const Json& entry : test.at("vocab").as_array()) {
    theirs.tokens.push_back(entry.as_array()[0].as_string());
    theirs.scores.push_back(entry.as_array()[1].as_number());
    common += static_cast<std::size_t>(std::count(spec.tokens.begin(), spec.tokens.end(), theirs.tokens.back()));
  }
  CHECK(spec.tokens.size() == 130);
  CHECK(theirs.tokens.size() == 130);
  CHECK(common >= 125);
  const double expected = likelihood(theirs, words);
  CHECK(likelihood(spec, words) > expected - 0.01 * std::abs(expected));
}

TEST_CASE("text: every character has a token, special tokens come first, the others by score") {
  const UnigramSpec spec = train_unigram(words_of({{"ab", 9}, {"abc", 7}, {"xyz", 1}}),
                                         {.vocab_size = 12, .special_tokens = {"<s>"}, .initial_alphabet = U"é"});
  CHECK(spec.unknown == 0);
  CHECK(spec.tokens[0] == "<unk>");
  CHECK(spec.tokens[1] == "<s>");
  const std::set<std::string> tokens(spec.tokens.begin(), spec.tokens.end());
  CHECK(tokens.size() == spec.tokens.size());
  for (const char* character : {"a", "b", "c", "x", "y", "z", "é"}) CHECK(tokens.contains(character));
  CHECK(std::is_sorted(spec.scores.begin() + 2, spec.scores.end(), std::greater<>()));
}

TEST_CASE("text: very long words train like any others") {
  std::string word;
  for (int i = 0; i < 3000; ++i) word += i % 3 == 0 ? "ab" : "c";
  const UnigramSpec spec = train_unigram(words_of({{word, 1}, {"ab", 3}}), {.vocab_size = 10, .initial_alphabet = {}});
  CHECK(spec.tokens.size() <= 10);
  CHECK(likelihood(spec, words_of({{word, 1}})) >
        likelihood({.tokens = {"<unk>", "a", "b", "c"}, .scores = {0, -1.1, -1.1, -1.1}, .unknown = 0},
                   words_of({{word, 1}})));
}

TEST_CASE("text: Unigram training refuses what cannot be trained") {
  const WordCounts words = words_of({{"abc", 2}});
  HONE_CHECK_ERROR(data, train_unigram({}, {.initial_alphabet = {}}), "no words");
  HONE_CHECK_ERROR(config, train_unigram(words, {.vocab_size = 3, .initial_alphabet = {}}), "vocab_size 3",
                   "3 characters", "need 4");
  HONE_CHECK_ERROR(config, train_unigram(words, {.special_tokens = {"a", "a"}, .initial_alphabet = {}}), "a twice");
  HONE_CHECK_ERROR(config, train_unigram(words, {.special_tokens = {""}, .initial_alphabet = {}}), "empty");
  HONE_CHECK_ERROR(config, train_unigram(words, {.initial_alphabet = {}, .shrinking_factor = 1}), "shrinking_factor");
  HONE_CHECK_ERROR(config, train_unigram(words, {.initial_alphabet = {}, .max_piece_length = 0}), "max_piece_length");
}

}  // namespace hone
