#include "app/evaluated_rows.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/error_of.h"

namespace hone {

namespace {

EvaluatedRows answers(std::vector<std::string> texts, std::vector<double> right) {
  EvaluatedRows rows{.task = "generation", .rows = texts.size()};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    rows.references.push_back({"4"});
    rows.attempts.push_back(4);
    rows.majority.push_back(right[i] >= 2 ? 1 : 0);
    rows.reward.push_back(right[i] / 4);
  }
  rows.texts = std::move(texts);
  rows.right = std::move(right);
  return rows;
}

const MetricResult& named(const std::vector<MetricResult>& results, std::string_view name) {
  const auto found = std::ranges::find(results, name, &MetricResult::name);
  REQUIRE(found != results.end());
  return *found;
}

}  // namespace

TEST_CASE("app: generated answers have pass@k and maj@n beside the metrics of texts") {
  EvaluatedRows rows = answers({"4", "it is 4", "5"}, {4, 1, 0});
  rows.append(answers({"4", "4", "4"}, {4, 4, 2}));
  const auto results = evaluate(rows.metrics({1, 2}), rows.rows, true, {.samples = 50});
  CHECK(named(results, "exact_match").value == doctest::Approx(1.0 / 3));
  CHECK(named(results, "exact_match").against->second == doctest::Approx(1.0));
  CHECK(named(results, "pass@1").value == doctest::Approx((1 + 0.25) / 3));
  CHECK(named(results, "pass@2").value == doctest::Approx((1 + 0.5) / 3));
  CHECK(named(results, "maj@4").value == doctest::Approx(1.0 / 3));
  CHECK(named(results, "maj@4").against->difference == doctest::Approx(2.0 / 3));
  CHECK(rows.output(1).dump() == R"({"label":["4"],"prediction":"it is 4","reward":0.25})");
}

TEST_CASE("app: rows with several labels have figures, and say which labels hold") {
  EvaluatedRows rows{.task = std::string(multi_label_task), .rows = 2};
  rows.multi_label = {.classes = {"a", "b"}, .labels = {1, 1, 0, 0}, .probabilities = {0.9, 0.2, 0.1, 0.3}};
  EvaluatedRows better = rows;
  better.multi_label.probabilities[1] = 0.8;
  rows.append(better);
  const auto results = evaluate(rows.metrics({}), rows.rows, true, {.samples = 50});
  CHECK(named(results, "accuracy").value == doctest::Approx(0.5));
  CHECK(named(results, "accuracy").against->second == doctest::Approx(1.0));
  CHECK(rows.output(0).dump() == R"({"label":["a","b"],"prediction":["a"]})");
  CHECK(rows.output(1).dump() == R"({"label":[],"prediction":[]})");
  better.multi_label.classes = {"b", "a"};
  HONE_CHECK_ERROR(data, rows.append(better), "cannot be compared");
}

TEST_CASE("app: models with other classes are not compared") {
  EvaluatedRows rows{.task = "text-classification", .rows = 1};
  rows.classified = {.classes = {"no", "yes"}, .labels = {1}, .predictions = {0}, .probabilities = {0.6, 0.4}};
  CHECK(rows.output(0).dump() == R"({"label":"yes","prediction":"no","probability":0.6})");
  EvaluatedRows other = rows;
  other.classified.classes = {"yes", "no"};
  HONE_CHECK_ERROR(data, rows.append(other), "cannot be compared");
}

}  // namespace hone
