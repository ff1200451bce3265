#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "metrics/bleu.h"
#include "metrics/calibration.h"
#include "metrics/chrf.h"
#include "metrics/classification.h"
#include "metrics/correlation.h"
#include "metrics/regression.h"
#include "metrics/roc_auc.h"
#include "metrics/rouge.h"
#include "tests/support/golden.h"

namespace hone {

namespace {

template <class Number = double>
std::vector<Number> numbers(const Json& list) {
  std::vector<Number> values;
  for (const Json& value : list.as_array()) values.push_back(static_cast<Number>(value.as_number()));
  return values;
}

void check_near(double value, const Json& expected, const Json& golden) {
  CAPTURE(golden.at("id").as_string());
  CHECK(std::abs(value - expected.as_number()) <= golden.at("tol").as_number());
}

/// What the case's `params` say, and sacrebleu's defaults.
BleuOptions bleu_options(const Json& golden) {
  BleuOptions options;
  const Json* params = golden.find("params");
  if (params == nullptr || params->is_null()) return options;
  for (const auto& [key, value] : params->as_object()) {
    if (key == "max_ngram_order") options.order = static_cast<std::size_t>(value.as_integer());
    if (key == "effective_order") options.effective_order = value.as_bool();
    if (key == "lowercase") options.lowercase = value.as_bool();
    if (key == "tokenize") {
      options.split = static_cast<WordSplit>(std::ranges::find(word_split_names, value.as_string()) -
                                             word_split_names.begin());
    }
    if (key == "smooth" || key == "smooth_method") {
      options.smoothing = static_cast<BleuSmoothing>(std::ranges::find(bleu_smoothing_names, value.as_string()) -
                                                     bleu_smoothing_names.begin());
      if (options.smoothing == BleuSmoothing::add_k) options.smoothing_value = 1;
    }
    if (key == "value" && !value.is_null()) options.smoothing_value = value.as_number();
  }
  return options;
}

double corpus_bleu(const Json& golden, const BleuOptions& options) {
  BleuCounts sum;
  const Json& inputs = golden.at("inputs");
  const auto& texts = inputs.at("hyps").as_array();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::vector<Words> references;
    for (const Json& column : inputs.at("refs").as_array()) {
      references.push_back(options.words(column.as_array().at(i).as_string()));
    }
    sum += bleu_counts(options.words(texts[i].as_string()), references, options.order);
  }
  return bleu(sum, options);
}

void check_corpus(const Json& golden, double scale) {
  check_near(scale * corpus_bleu(golden, bleu_options(golden)), golden.at("expected"), golden);
}

void check_sentence(const Json& golden) {
  const BleuOptions options = bleu_options(golden);
  const Json& inputs = golden.at("inputs");
  const Words reference = options.words(inputs.at("ref").as_string());
  const Words text = options.words(inputs.at("hyp").as_string());
  check_near(100 * bleu(bleu_counts(text, std::span(&reference, 1), options.order), options), golden.at("expected"),
             golden);
}

std::vector<std::string> texts_of(const Json& value) {
  std::vector<std::string> texts;
  if (value.is_string()) return {value.as_string()};
  for (const Json& text : value.as_array()) texts.push_back(text.as_string());
  return texts;
}

void check_chrf(const Json& golden) {
  ChrfOptions options;
  const Json& params = golden.at("params");
  options.beta = params.at("beta").as_number();
  if (const Json* smoothing = params.find("eps_smoothing")) options.epsilon_smoothing = smoothing->as_bool();
  if (const Json* removed = params.find("remove_whitespace")) options.keep_white_space = !removed->as_bool();
  ChrfCounts sum;
  const std::vector<std::string> texts = texts_of(golden.at("inputs").at("hyp"));
  const std::vector<std::string> references = texts_of(golden.at("inputs").at("ref"));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    sum += chrf_counts(texts[i], texts.size() == 1 ? references : std::vector{references.at(i)}, options);
  }
  check_near(100 * chrf(sum, options), golden.at("expected"), golden);
}

void check_rouge(const Json& golden, bool stem = false) {
  const auto kind = static_cast<RougeKind>(
      std::ranges::find(rouge_names, golden.at("params").at("type").as_string()) - rouge_names.begin());
  const Overlap overlap = rouge(kind, golden.at("inputs").at("prediction").as_string(),
                                golden.at("inputs").at("target").as_string(), stem);
  check_near(overlap.precision, golden.at("expected").at("precision"), golden);
  check_near(overlap.recall, golden.at("expected").at("recall"), golden);
  check_near(overlap.f(), golden.at("expected").at("f"), golden);
}

}  // namespace

TEST_CASE("golden: BLEU of corpora") {
  HONE_NEEDS_TEST_DATA(data);
  for (const char* id : {"corpus_bleu_default", "corpus_bleu_tok_none", "corpus_bleu_tok_13a", "corpus_bleu_tok_intl",
                         "corpus_bleu_smooth_none", "corpus_bleu_empty", "bleu_max_order_1", "bleu_max_order_2",
                         "bleu_max_order_3", "bleu_max_order_4", "bleu_max_order_5", "bleu_max_order_6"}) {
    check_corpus(test::golden_case(data, "text_metrics.json", id), 100);
  }
  for (const char* id : {"raw_bleu_0", "raw_bleu_1", "raw_bleu_2", "bleu_effective_order_0", "bleu_effective_order_1",
                         "bleu_effective_order_2"}) {
    check_corpus(test::golden_case(data, "text_metrics.json", id), 1);
  }
}

TEST_CASE("golden: BLEU of sentences and its counts") {
  HONE_NEEDS_TEST_DATA(data);
  for (const char* id :
       {"sentence_bleu_0", "sentence_bleu_1", "sentence_bleu_2", "sentence_bleu_3", "sentence_bleu_4",
        "sentence_bleu_5", "sentence_bleu_6", "sentence_bleu_7", "sentence_bleu_8", "sentence_bleu_9",
        "sentence_bleu_10", "sentence_bleu_11"}) {
    check_sentence(test::golden_case(data, "text_metrics.json", id));
  }
  const Json stats = test::golden_case(data, "text_metrics.json", "bleu_stats");
  const Words reference = plain_words(stats.at("inputs").at("ref").as_string());
  const BleuCounts counts =
      bleu_counts(plain_words(stats.at("inputs").at("hyp").as_string()), std::span(&reference, 1));
  CHECK(counts.common == numbers<std::int64_t>(stats.at("expected").at("common")));
  CHECK(counts.total == numbers<std::int64_t>(stats.at("expected").at("total")));
  const Json given = test::golden_case(data, "text_metrics.json", "bleu_from_stats");
  const Json& inputs = given.at("inputs");
  const BleuCounts from_stats{.common = numbers<std::int64_t>(inputs.at("common")),
                              .total = numbers<std::int64_t>(inputs.at("total")),
                              .length = inputs.at("sys_len").as_integer(),
                              .reference_length = inputs.at("ref_len").as_integer()};
  check_near(bleu(from_stats, {}), given.at("expected"), given);
  const Json offset = test::golden_case(data, "text_metrics.json", "bleu_offset");
  BleuOptions floor{.split = WordSplit::none, .smoothing = BleuSmoothing::floor, .smoothing_value = 0.1};
  check_near(corpus_bleu(offset, floor), offset.at("expected").at("floor_0.1"), offset);
  floor.smoothing_value = 0;
  check_near(corpus_bleu(offset, floor), offset.at("expected").at("floor_0"), offset);
}

TEST_CASE("golden: chrF") {
  HONE_NEEDS_TEST_DATA(data);
  for (const char* id :
       {"chrf_test_cases_0", "chrf_test_cases_1", "chrf_test_cases_2", "chrf_test_cases_3", "chrf_test_cases_4",
        "chrf_test_cases_5", "chrf_test_cases_6", "chrf_test_cases_7", "chrf_test_cases_8", "chrf_test_cases_9",
        "chrf_test_cases_10", "chrf_test_cases_11", "chrf_test_cases_12", "chrf_test_cases_effective_order_0",
        "chrf_test_cases_effective_order_1", "chrf_test_cases_effective_order_2", "chrf_test_cases_effective_order_3",
        "chrf_test_cases_effective_order_4", "chrf_test_cases_effective_order_5", "chrf_test_cases_effective_order_6",
        "chrf_test_cases_keep_whitespace_0", "chrf_test_cases_keep_whitespace_1", "chrf_test_sentence_level_chrf_0",
        "chrf_test_sentence_level_chrf_1", "chrf_test_sentence_level_chrf_2"}) {
    check_chrf(test::golden_case(data, "text_metrics.json", id));
  }
}

TEST_CASE("golden: ROUGE") {
  HONE_NEEDS_TEST_DATA(data);
  for (const char* id : {"rouge_r1", "rouge_r2", "rouge_rL_consec", "rouge_rL_nonconsec", "rouge_empty", "rouge_rLsum",
                         "rouge_rLsum_nonword", "rouge155_r1_0", "rouge155_r2_0", "rouge155_rL_0", "rouge155_r1_1",
                         "rouge155_r2_1", "rouge155_rL_1"}) {
    check_rouge(test::golden_case(data, "text_metrics.json", id));
  }
  check_rouge(test::golden_case(data, "text_metrics.json", "rouge155_r1_1_stem"), true);
}

TEST_CASE("golden: classification") {
  HONE_NEEDS_TEST_DATA(data);
  const auto scores = [](const Json& golden, std::size_t classes) {
    const Json& inputs = golden.at("inputs");
    return classification_scores(ConfusionMatrix(numbers<std::int64_t>(inputs.at("target")),
                                                 numbers<std::int64_t>(inputs.at("preds")), classes));
  };
  const Json binary = test::golden_case(data, "class_reg_metrics.json", "bin_acc");
  check_near(scores(binary, 2).accuracy, binary.at("expected"), binary);
  const Json several = test::golden_case(data, "class_reg_metrics.json", "mc_acc");
  check_near(scores(several, 3).macro.recall, several.at("expected").at("macro"), several);
  for (std::size_t c = 0; c < 3; ++c) {
    check_near(scores(several, 3).per_class[c].recall, several.at("expected").at("per_class").as_array()[c], several);
  }
  const Json mcc = test::golden_case(data, "class_reg_metrics.json", "bin_mcc");
  check_near(scores(mcc, 2).mcc, mcc.at("expected"), mcc);
  const Json kappa = test::golden_case(data, "class_reg_metrics.json", "bin_kappa");
  check_near(scores(kappa, 2).kappa, kappa.at("expected"), kappa);
  const Json confusion = test::golden_case(data, "class_reg_metrics.json", "bin_confmat");
  const ConfusionMatrix matrix(numbers<std::int64_t>(confusion.at("inputs").at("target")),
                               numbers<std::int64_t>(confusion.at("inputs").at("preds")), 2);
  for (std::size_t row = 0; row < 2; ++row) {
    const std::vector<std::int64_t> counts{matrix.count(row, 0), matrix.count(row, 1)};
    CHECK(counts == numbers<std::int64_t>(confusion.at("expected").as_array()[row]));
  }
}

TEST_CASE("golden: ranking, calibration and regression") {
  HONE_NEEDS_TEST_DATA(data);
  const Json area = test::golden_case(data, "class_reg_metrics.json", "bin_auroc");
  const auto scores = numbers(area.at("inputs").at("preds"));
  check_near(roc_auc(scores, numbers<std::uint8_t>(area.at("inputs").at("target"))).value(), area.at("expected"), area);
  const Json ece = test::golden_case(data, "class_reg_metrics.json", "bin_ece");
  const CalibrationError error =
      calibration_error(numbers(ece.at("inputs").at("preds")), numbers<std::uint8_t>(ece.at("inputs").at("target")),
                        static_cast<std::size_t>(ece.at("inputs").at("bins").as_integer()));
  check_near(error.expected, ece.at("expected").at("l1"), ece);
  check_near(error.root_mean_square, ece.at("expected").at("l2"), ece);
  check_near(error.greatest, ece.at("expected").at("max"), ece);
  const Json r = test::golden_case(data, "class_reg_metrics.json", "pearson");
  check_near(pearson(numbers(r.at("inputs").at("preds")), numbers(r.at("inputs").at("target"))).value(),
             r.at("expected"), r);
  const Json tau = test::golden_case(data, "class_reg_metrics.json", "kendall");
  check_near(kendall(numbers(tau.at("inputs").at("preds")), numbers(tau.at("inputs").at("target"))).value(),
             tau.at("expected").at("tau"), tau);
  const Json r2 = test::golden_case(data, "class_reg_metrics.json", "r2");
  check_near(regression_errors(numbers(r2.at("inputs").at("preds")), numbers(r2.at("inputs").at("target"))).r2.value(),
             r2.at("expected"), r2);
}

}  // namespace hone
