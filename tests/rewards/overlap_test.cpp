#include "rewards/overlap.h"

#include <doctest/doctest.h>

#include <string>

#include "rewards/text_overlap.h"
#include "tests/conformance/reward_conformance.h"
#include "tests/support/golden.h"

namespace hone {

namespace {

Score judge(OverlapSpec::Measure measure, const std::string& completion, Json answer) {
  OverlapSpec spec;
  spec.measure = measure;
  const Episode episode = test::episode(completion, test::answer(std::move(answer)));
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

/// BLEU of a corpus, 0 … 1, by one order and tokenizer.
double corpus_bleu(const Json& golden, std::size_t order, Words (*split)(std::string_view)) {
  BleuCounts sum;
  const auto& texts = golden.at("inputs").at("hyps").as_array();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::vector<Words> references;
    for (const Json& column : golden.at("inputs").at("refs").as_array()) {
      references.push_back(split(column.as_array().at(i).as_string()));
    }
    sum += bleu_counts(split(texts[i].as_string()), references, order);
  }
  return bleu(sum, false);
}

void check_corpus(const Json& golden, std::size_t order, Words (*split)(std::string_view)) {
  const double percent = 100 * corpus_bleu(golden, order, split);
  CHECK(std::abs(percent - golden.at("expected").as_number()) <= golden.at("tol").as_number());
}

void check_sentence(const Json& golden, Words (*split)(std::string_view)) {
  const Json& inputs = golden.at("inputs");
  const Words reference = split(inputs.at("ref").as_string());
  const double value = bleu(bleu_counts(split(inputs.at("hyp").as_string()), std::span(&reference, 1)), true);
  CHECK(std::abs(100 * value - golden.at("expected").as_number()) <= golden.at("tol").as_number());
}

void check_rouge(const Json& golden) {
  const Json& inputs = golden.at("inputs");
  const std::string& type = golden.at("params").at("type").as_string();
  const Words text = rouge_words(inputs.at("prediction").as_string());
  const Words reference = rouge_words(inputs.at("target").as_string());
  const Overlap overlap =
      type == "rougeL" ? rouge_l(text, reference) : rouge_n(text, reference, type == "rouge1" ? 1 : 2);
  const double tolerance = golden.at("tol").as_number();
  const Json& expected = golden.at("expected");
  CHECK(std::abs(overlap.precision - expected.at("precision").as_number()) <= tolerance);
  CHECK(std::abs(overlap.recall - expected.at("recall").as_number()) <= tolerance);
  CHECK(std::abs(overlap.f() - expected.at("f").as_number()) <= tolerance);
}

}  // namespace

TEST_CASE("rewards: overlap keeps the contract of rewards") {
  OverlapSpec spec;
  const Episode good = test::episode("the cat sat", test::answer("the cat sat down"));
  test::check_reward(spec, {}, {good, test::episode("a dog", test::answer("the cat"))});
  test::check_missing_reference(spec, {}, good);
  spec.measure = OverlapSpec::Measure::bleu;
  test::check_reward(spec, {}, {good, test::episode("a dog", test::answer("the cat"))});
}

TEST_CASE("rewards: overlap takes the best of several references") {
  using enum OverlapSpec::Measure;
  const Json references = Json::Array{"a dog barks", "the cat sat"};
  for (const auto measure : {bleu, rouge1, rouge2, rouge_l}) {
    CHECK(judge(measure, "The cat sat", Json::Array{"a dog barks", "The cat sat"}).value == doctest::Approx(1.0));
    CHECK(judge(measure, "mice", references).value == 0.0);
    CHECK(judge(measure, "", references).value == 0.0);
    CHECK(judge(measure, "mice", "").value == 0.0);
    CHECK(judge(measure, "mice", Json::array()).status == ScoreStatus::error);
    CHECK(judge(measure, "mice", 5).status == ScoreStatus::error);
  }
  CHECK(judge(rouge1, "the cat", references).value == doctest::Approx(0.8));
  CHECK(judge(bleu, "the cat sat", references).value == doctest::Approx(1.0));  // three words: no 4-grams to miss
}

TEST_CASE("rewards: words of 13a") {
  const std::pair<const char*, Words> split[] = {
      {"It's 3.5%, not 1,000.", {"It's", "3.5", "%", ",", "not", "1,000", "."}},
      {"a-b 1-2 (c) d/e", {"a-b", "1", "-", "2", "(", "c", ")", "d", "/", "e"}},
      {"&quot;x&amp;y&quot;", {"\"", "x", "&", "y", "\""}},
      {"well...", {"well", ".", ".", "."}},
      {"caf\xC3\xA9. \xE2\x80\x9Cok\xE2\x80\x9D", {"caf\xC3\xA9", ".", "\xE2\x80\x9Cok\xE2\x80\x9D"}},
      {"two\u3000wide\u00a0spaces", {"two", "wide", "spaces"}},
      {"hyphen-\nated line\nends", {"hyphenated", "line", "ends"}},
      {"", {}},
  };
  for (const auto& [text, words] : split) {
    CAPTURE(text);
    CHECK(words_13a(text) == words);
  }
}

TEST_CASE("golden: BLEU of corpora") {
  HONE_NEEDS_TEST_DATA(data);
  check_corpus(test::golden_case(data, "text_metrics.json", "corpus_bleu_default"), 4, words_13a);
  check_corpus(test::golden_case(data, "text_metrics.json", "corpus_bleu_tok_13a"), 4, words_13a);
  check_corpus(test::golden_case(data, "text_metrics.json", "corpus_bleu_tok_none"), 4, plain_words);
  check_corpus(test::golden_case(data, "text_metrics.json", "corpus_bleu_smooth_none"), 4, words_13a);
  check_corpus(test::golden_case(data, "text_metrics.json", "corpus_bleu_empty"), 4, words_13a);
  check_corpus(test::golden_case(data, "text_metrics.json", "bleu_max_order_1"), 1, words_13a);
  check_corpus(test::golden_case(data, "text_metrics.json", "bleu_max_order_2"), 2, words_13a);
  check_corpus(test::golden_case(data, "text_metrics.json", "bleu_max_order_3"), 3, words_13a);
  check_corpus(test::golden_case(data, "text_metrics.json", "bleu_max_order_4"), 4, words_13a);
  check_corpus(test::golden_case(data, "text_metrics.json", "bleu_max_order_5"), 5, words_13a);
  check_corpus(test::golden_case(data, "text_metrics.json", "bleu_max_order_6"), 6, words_13a);
}

TEST_CASE("golden: BLEU of sentences and its counts") {
  HONE_NEEDS_TEST_DATA(data);
  check_sentence(test::golden_case(data, "text_metrics.json", "sentence_bleu_0"), words_13a);
  check_sentence(test::golden_case(data, "text_metrics.json", "sentence_bleu_8"), plain_words);
  const Json perfect = test::golden_case(data, "text_metrics.json", "raw_bleu_1");
  CHECK(corpus_bleu(perfect, 4, plain_words) == doctest::Approx(1.0).epsilon(1e-12));
  const Json stats = test::golden_case(data, "text_metrics.json", "bleu_stats");
  const Words reference = plain_words(stats.at("inputs").at("ref").as_string());
  const BleuCounts counts =
      bleu_counts(plain_words(stats.at("inputs").at("hyp").as_string()), std::span(&reference, 1));
  const auto& common = stats.at("expected").at("common").as_array();
  const auto& total = stats.at("expected").at("total").as_array();
  for (std::size_t n = 0; n < 4; ++n) {
    CHECK(counts.common[n] == common[n].as_integer());
    CHECK(counts.total[n] == total[n].as_integer());
  }
  const Json given = test::golden_case(data, "text_metrics.json", "bleu_from_stats");
  BleuCounts from_stats;
  for (const Json& count : given.at("inputs").at("common").as_array()) from_stats.common.push_back(count.as_integer());
  for (const Json& count : given.at("inputs").at("total").as_array()) from_stats.total.push_back(count.as_integer());
  from_stats.length = given.at("inputs").at("sys_len").as_integer();
  from_stats.reference_length = given.at("inputs").at("ref_len").as_integer();
  CHECK(std::abs(bleu(from_stats, false) - given.at("expected").as_number()) <= given.at("tol").as_number());
}

TEST_CASE("golden: ROUGE") {
  HONE_NEEDS_TEST_DATA(data);
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge_r1"));
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge_r2"));
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge_rL_consec"));
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge_rL_nonconsec"));
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge_empty"));
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge155_r1_0"));
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge155_r2_0"));
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge155_rL_0"));
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge155_r1_1"));
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge155_r2_1"));
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge155_rL_1"));
}

}  // namespace hone
