#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "metrics/answers.h"
#include "metrics/bleu.h"
#include "metrics/chrf.h"
#include "metrics/porter_stemmer.h"
#include "metrics/rouge.h"
#include "metrics/words.h"
#include "tests/support/committed_golden.h"

namespace hone {

namespace {

Json::Array golden(std::string_view part) { return test::committed_golden("metrics.json").at(part).as_array(); }

std::vector<std::string> strings(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& text : list.as_array()) texts.push_back(text.as_string());
  return texts;
}

/// Of row i: one text a column.
std::vector<std::string> references_of(const Json& columns, std::size_t i) {
  std::vector<std::string> texts;
  for (const Json& column : columns.as_array()) texts.push_back(column.as_array().at(i).as_string());
  return texts;
}

template <class Names>
std::size_t position(const Names& names, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

}  // namespace

TEST_CASE("metrics: words are sacrebleu's, lower case is Python's") {
  for (const Json& item : golden("words")) {
    const std::string& text = item.at("text").as_string();
    CAPTURE(text);
    CHECK(words_13a(text) == strings(item.at("13a")));
    CHECK(words_intl(text) == strings(item.at("intl")));
    CHECK(character_words(text) == strings(item.at("char")));
    CHECK(lower_text(text) == item.at("lower").as_string());
  }
}

TEST_CASE("metrics: BLEU and its signature equal sacrebleu's") {
  for (const Json& item : golden("bleu")) {
    CAPTURE(item.dump());
    BleuOptions options;
    options.split = static_cast<WordSplit>(position(word_split_names, item.at("tokenize").as_string()));
    options.smoothing =
        static_cast<BleuSmoothing>(position(bleu_smoothing_names, item.at("smooth_method").as_string()));
    const Json& value = item.at("smooth_value");
    const double usual = options.smoothing == BleuSmoothing::add_k ? 1 : 0.1;
    options.smoothing_value = value.is_null() ? usual : value.as_number();
    options.lowercase = item.at("lowercase").as_bool();
    options.order = static_cast<std::size_t>(item.at("max_ngram_order").as_integer());
    options.effective_order = item.at("effective_order").as_bool();
    BleuCounts sum;
    const std::vector<std::string> texts = strings(item.at("texts"));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::vector<Words> references;
      for (const std::string& text : references_of(item.at("references"), i)) references.push_back(options.words(text));
      sum += bleu_counts(options.words(texts[i]), references, options.order);
    }
    CHECK(100 * bleu(sum, options) == doctest::Approx(item.at("bleu").as_number()).epsilon(1e-9));
    CHECK(options.signature(std::ssize(item.at("references").as_array())) == item.at("signature").as_string());
  }
}

TEST_CASE("metrics: chrF, chrF++ and their signatures equal sacrebleu's") {
  for (const Json& item : golden("chrf")) {
    CAPTURE(item.dump());
    ChrfOptions options;
    options.character_order = static_cast<std::size_t>(item.at("char_order").as_integer());
    options.word_order = static_cast<std::size_t>(item.at("word_order").as_integer());
    options.beta = item.at("beta").as_number();
    options.lowercase = item.at("lowercase").as_bool();
    options.keep_white_space = item.at("whitespace").as_bool();
    options.epsilon_smoothing = item.at("eps_smoothing").as_bool();
    ChrfCounts sum;
    const std::vector<std::string> texts = strings(item.at("texts"));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      sum += chrf_counts(texts[i], references_of(item.at("references"), i), options);
    }
    CHECK(100 * chrf(sum, options) == doctest::Approx(item.at("chrf").as_number()).epsilon(1e-9));
    CHECK(options.signature(std::ssize(item.at("references").as_array())) == item.at("signature").as_string());
  }
}

TEST_CASE("metrics: ROUGE equals rouge_score, with and without its stemmer") {
  for (const Json& item : golden("rouge")) {
    CAPTURE(item.dump());
    for (std::size_t kind = 0; kind < rouge_names.size(); ++kind) {
      const Overlap overlap = rouge(static_cast<RougeKind>(kind), item.at("text").as_string(),
                                    item.at("reference").as_string(), item.at("stem").as_bool());
      const auto& expected = item.at(rouge_names[kind]).as_array();
      CHECK(overlap.precision == doctest::Approx(expected[0].as_number()).epsilon(1e-9));
      CHECK(overlap.recall == doctest::Approx(expected[1].as_number()).epsilon(1e-9));
      CHECK(overlap.f() == doctest::Approx(expected[2].as_number()).epsilon(1e-9));
    }
  }
  const std::vector<std::string> references{"nothing alike", "one two three"};
  CHECK(rouge(RougeKind::rouge1, "one two three", references).f() == 1.0);
  CHECK(rouge(RougeKind::rouge1, "one", std::span<const std::string>()).f() == 0.0);
}

TEST_CASE("metrics: stems are NLTK's") {
  for (const Json& pair : golden("stems")) {
    CAPTURE(pair.dump());
    CHECK(porter_stem(pair.as_array()[0].as_string()) == pair.as_array()[1].as_string());
  }
  CHECK(porter_stem("").empty());
}

TEST_CASE("metrics: answers are compared as SQuAD compares them") {
  for (const Json& item : golden("answers")) {
    CAPTURE(item.dump());
    const std::string& text = item.at("text").as_string();
    CHECK(normalized_answer(text) == item.at("normalized").as_string());
    const AnswerScore score = answer_score(text, item.at("reference").as_string());
    CHECK(score.exact == item.at("exact").as_number());
    CHECK(score.f1 == doctest::Approx(item.at("f1").as_number()).epsilon(1e-9));
  }
  const std::vector<std::string> references{"in Paris", "Paris, France"};
  CHECK(answer_score("Paris", references).f1 == doctest::Approx(2.0 / 3));
  CHECK(answer_score("the", std::span<const std::string>()).exact == 1.0);
  CHECK(answer_score("Paris", std::span<const std::string>()).f1 == 0.0);
}

}  // namespace hone
