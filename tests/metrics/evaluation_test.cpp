#include "metrics/evaluation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace hone {

namespace {

double value_of(const std::vector<MetricResult>& results, std::string_view name) {
  const auto found = std::ranges::find(results, name, &MetricResult::name);
  REQUIRE(found != results.end());
  return found->value;
}

using Tags = std::vector<std::string>;

}  // namespace

TEST_CASE("metrics: figures of tagged rows") {
  const Tags wanted{"B-PER", "I-PER", "O", "B-LOC"}, found{"B-PER", "O", "O", "B-LOC"};
  const auto results = evaluate(tag_metrics({found}, {wanted}), 1, false, {.samples = 10});
  CHECK(value_of(results, "f1") == doctest::Approx(0.5));
  CHECK(value_of(results, "accuracy") == doctest::Approx(0.75));
}

TEST_CASE("metrics: figures of classified rows, with intervals") {
  ClassifiedRows rows{.classes = {"no", "yes"}};
  for (int i = 0; i < 40; ++i) {
    const double yes = (i % 10) / 10.0 + 0.05;
    rows.labels.push_back(i % 10 >= 4 ? 1 : 0);
    rows.predictions.push_back(yes > 0.5 ? 1 : 0);
    rows.probabilities.insert(rows.probabilities.end(), {1 - yes, yes});
  }
  const auto results = evaluate(class_metrics(std::move(rows)), 40, false, {.samples = 200});
  CHECK(value_of(results, "accuracy") == doctest::Approx(0.9));
  CHECK(value_of(results, "f1") == doctest::Approx(10.0 / 11));
  CHECK(value_of(results, "roc_auc") == doctest::Approx(1.0));
  CHECK(results[0].interval->low < 0.9);
  CHECK(results[0].interval->high > 0.9);
  CHECK_FALSE(results[0].against.has_value());
}

TEST_CASE("metrics: what a row drawn twice distorts has no interval") {
  const auto different = [](std::span<const std::size_t> rows) {
    return static_cast<double>(std::set<std::size_t>(rows.begin(), rows.end()).size());
  };
  const EvaluationMetrics metrics{{.name = "different", .value = different, .repeatable = false}};
  const auto results = evaluate(metrics, 20, false, {.samples = 100});
  CHECK(results[0].value == 20);
  CHECK_FALSE(results[0].interval.has_value());
}

TEST_CASE("metrics: figures of rows with several labels") {
  MultiLabelRows rows{.classes = {"a", "b"},
                      .labels = {1, 0, 1, 1, 0, 0, 0, 1},
                      .probabilities = {0.9, 0.2, 0.8, 0.4, 0.1, 0.3, 0.6, 0.7}};
  // decided: {a}, {a}, {}, {a, b}: hits 3, predicted 4, labels 4, and two rows are right as a whole
  const auto results = evaluate(multi_label_metrics(std::move(rows)), 4, false, {.samples = 100});
  CHECK(value_of(results, "accuracy") == doctest::Approx(0.5));
  CHECK(value_of(results, "precision_micro") == doctest::Approx(0.75));
  CHECK(value_of(results, "recall_micro") == doctest::Approx(0.75));
  CHECK(value_of(results, "f1_micro") == doctest::Approx(0.75));
  CHECK(value_of(results, "f1_macro") == doctest::Approx((0.8 + 2.0 / 3) / 2));
  CHECK(value_of(results, "f1_weighted") == doctest::Approx((0.8 + 2.0 / 3) / 2));
  CHECK(value_of(results, "roc_auc") == doctest::Approx(1.0));  // both: every positive above every negative
  // confidences .9 .8 .8 .6 .9 .7 .6 .7, of which the fourth and the seventh are wrong
  const double gaps = 2 * (0.9 - 1) + 2 * (0.8 - 1) + 2 * (0.7 - 1);
  CHECK(value_of(results, "ece") == doctest::Approx((-gaps + (2 * 0.6 - 0)) / 8).epsilon(1e-9));
  const auto one_sided = evaluate(multi_label_metrics({.classes = {"a"}, .labels = {1, 1}, .probabilities = {0.9, 0.2}}), 2,
                                  false, {.samples = 0});
  CHECK(std::isnan(value_of(one_sided, "roc_auc")));
}

TEST_CASE("metrics: two systems on the same rows") {
  std::vector<double> labels, predictions;
  for (int i = 0; i < 60; ++i) labels.push_back(i * 0.1);
  for (int i = 0; i < 60; ++i) predictions.push_back(i * 0.1 + (i % 2 == 0 ? 0.5 : -0.5));
  for (int i = 0; i < 60; ++i) predictions.push_back(i * 0.1 + (i % 2 == 0 ? 0.1 : -0.1));
  std::vector<double> twice = labels;
  twice.insert(twice.end(), labels.begin(), labels.end());
  const auto results = evaluate(number_metrics(predictions, twice), 60, true, {.samples = 500});
  const auto& error = results[0];
  CHECK(error.name == "mse");
  CHECK(error.value == doctest::Approx(0.25));
  REQUIRE(error.against.has_value());
  CHECK(error.against->second == doctest::Approx(0.01));
  CHECK(error.against->randomization_p < 0.01);
  CHECK(value_of(results, "spearman") > 0.9);
}

TEST_CASE("metrics: texts and likelihoods") {
  const std::vector<std::string> texts{"the cat sat on the mat", "Paris"};
  const std::vector<std::vector<std::string>> references{{"a cat sat on the mat"}, {"in Paris", "Paris"}};
  const auto results = evaluate(text_metrics(texts, references), 2, false, {.samples = 0});
  CHECK(value_of(results, "exact_match") == doctest::Approx(1.0));
  CHECK(value_of(results, "rouge1") == doctest::Approx((5.0 / 6 + 1) / 2));
  CHECK(value_of(results, "bleu") > 70);
  CHECK(value_of(results, "chrf") > 80);
  const auto likelihood = evaluate(
      likelihood_metrics({{.negative_log = 2, .tokens = 2}, {.negative_log = 7, .tokens = 1}}), 2, false, {.samples = 0});
  CHECK(value_of(likelihood, "loss") == doctest::Approx(3));
  CHECK(value_of(likelihood, "perplexity") == doctest::Approx(std::exp(3)));
}

}  // namespace hone
