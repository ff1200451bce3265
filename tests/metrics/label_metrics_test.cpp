#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "metrics/attempts.h"
#include "metrics/calibration.h"
#include "metrics/classification.h"
#include "metrics/correlation.h"
#include "metrics/likelihood.h"
#include "metrics/regression.h"
#include "metrics/roc_auc.h"
#include "tests/support/committed_golden.h"

namespace hone {

namespace {

Json::Array golden(std::string_view part) { return test::committed_golden("metrics.json").at(part).as_array(); }

template <class Number>
std::vector<Number> numbers(const Json& list) {
  std::vector<Number> values;
  for (const Json& value : list.as_array()) values.push_back(static_cast<Number>(value.as_number()));
  return values;
}

doctest::Approx near(const Json& value) { return doctest::Approx(value.as_number()).epsilon(1e-9); }

void check_optional(const std::optional<double>& value, const Json& expected) {
  REQUIRE(value.has_value() == !expected.is_null());
  if (value) CHECK(*value == near(expected));
}

void check_scores(const ClassScores& scores, const Json& expected) {
  CHECK(scores.precision == near(expected.as_array()[0]));
  CHECK(scores.recall == near(expected.as_array()[1]));
  CHECK(scores.f1 == near(expected.as_array()[2]));
}

}  // namespace

TEST_CASE("metrics: classification equals scikit-learn") {
  for (const Json& item : golden("classification")) {
    CAPTURE(item.dump());
    const auto classes = static_cast<std::size_t>(item.at("classes").as_integer());
    const auto labels = numbers<std::int64_t>(item.at("labels"));
    const auto predictions = numbers<std::int64_t>(item.at("predictions"));
    const ConfusionMatrix matrix(labels, predictions, classes);
    const ClassificationScores scores = classification_scores(matrix);
    CHECK(scores.accuracy == near(item.at("accuracy")));
    CHECK(scores.mcc == near(item.at("mcc")));
    CHECK(scores.kappa == near(item.at("kappa")));
    check_scores(scores.micro, item.at("micro"));
    check_scores(scores.macro, item.at("macro"));
    check_scores(scores.weighted, item.at("weighted"));
    for (std::size_t c = 0; c < classes; ++c) {
      check_scores(scores.per_class[c], item.at("per_class").as_array()[c]);
      CHECK(scores.per_class[c].support == item.at("per_class").as_array()[c].as_array()[3].as_number());
      const auto row = numbers<std::int64_t>(item.at("confusion").as_array()[c]);
      for (std::size_t p = 0; p < classes; ++p) CHECK(matrix.count(c, p) == row[p]);
    }
  }
  const ClassificationScores nothing = classification_scores(ConfusionMatrix(3));
  CHECK(nothing.accuracy == 0.0);
  CHECK(nothing.macro.f1 == 0.0);
  CHECK(nothing.mcc == 0.0);
}

TEST_CASE("metrics: several labels a row equal scikit-learn") {
  for (const Json& item : golden("multi_label")) {
    CAPTURE(item.dump());
    std::vector<std::uint8_t> labels, predictions;
    for (const Json& row : item.at("labels").as_array()) {
      for (const auto v : numbers<std::uint8_t>(row)) labels.push_back(v);
    }
    for (const Json& row : item.at("predictions").as_array()) {
      for (const auto v : numbers<std::uint8_t>(row)) predictions.push_back(v);
    }
    const std::size_t classes = item.at("labels").as_array()[0].as_array().size();
    const ClassificationScores scores = multi_label_scores(labels, predictions, classes);
    CHECK(scores.accuracy == near(item.at("accuracy")));
    check_scores(scores.micro, item.at("micro"));
    check_scores(scores.macro, item.at("macro"));
    check_scores(scores.weighted, item.at("weighted"));
  }
}

TEST_CASE("metrics: area under the ROC curve equals scikit-learn, with ties and without a class") {
  for (const Json& item : golden("roc_auc")) {
    CAPTURE(item.dump());
    check_optional(roc_auc(numbers<double>(item.at("scores")), numbers<std::uint8_t>(item.at("positive"))),
                   item.at("auc"));
  }
  for (const Json& item : golden("roc_auc_ovr")) {
    CAPTURE(item.dump());
    const auto area =
        roc_auc_one_versus_rest(numbers<double>(item.at("scores")), numbers<std::int64_t>(item.at("labels")), 3);
    REQUIRE(area.has_value());
    CHECK(area->macro == near(item.at("macro")));
    CHECK(area->weighted == near(item.at("weighted")));
  }
}

TEST_CASE("metrics: correlations and errors equal scipy and scikit-learn") {
  for (const Json& item : golden("regression")) {
    CAPTURE(item.dump());
    const auto predictions = numbers<double>(item.at("predictions")), labels = numbers<double>(item.at("labels"));
    const RegressionErrors errors = regression_errors(predictions, labels);
    CHECK(errors.mean_squared == near(item.at("mse")));
    CHECK(errors.mean_absolute == near(item.at("mae")));
    check_optional(errors.r2, item.at("r2"));
    check_optional(pearson(predictions, labels), item.at("pearson"));
    check_optional(spearman(predictions, labels), item.at("spearman"));
    check_optional(kendall(predictions, labels), item.at("kendall"));
  }
  CHECK_FALSE(pearson({}, {}).has_value());
}

TEST_CASE("metrics: calibration error by its definition") {
  for (const Json& item : golden("calibration")) {
    CAPTURE(item.dump());
    const CalibrationError error =
        calibration_error(numbers<double>(item.at("confidence")), numbers<std::uint8_t>(item.at("right")),
                          static_cast<std::size_t>(item.at("bins").as_integer()));
    CHECK(error.expected == near(item.at("ece")));
    CHECK(error.greatest == near(item.at("mce")));
    CHECK(error.root_mean_square >= error.expected - 1e-12);
  }
  CHECK(calibration_error({}, {}).expected == 0.0);
}

TEST_CASE("metrics: pass@k without bias") {
  for (const Json& item : golden("pass_at_k")) {
    CAPTURE(item.dump());
    const auto& values = item.as_array();
    CHECK(pass_at_k(values[0].as_integer(), values[1].as_integer(), values[2].as_integer()) ==
          doctest::Approx(values[3].as_number()).epsilon(1e-12));
  }
}

TEST_CASE("metrics: majority, win rate, distinct n-grams, perplexity") {
  const std::vector<std::string> answers{"", "4", "5", "5", "4", ""}, empty{"", ""};
  CHECK(majority(answers) == 1);
  CHECK(majority(empty) == 0);
  CHECK(Judgements{.wins = 3, .ties = 2, .losses = 5}.win_rate() == doctest::Approx(0.4));
  CHECK(Judgements{}.win_rate() == 0.5);
  const std::vector<std::string> texts{"a b a b", "b a", "c"};
  CHECK(distinct_n(texts, 1) == doctest::Approx(3.0 / 7));
  CHECK(distinct_n(texts, 2) == doctest::Approx(2.0 / 4));
  CHECK(distinct_n(texts, 5) == 0.0);
  Likelihood sum{.negative_log = 2, .tokens = 1, .bytes = 4};
  sum += {.negative_log = 4, .tokens = 2, .bytes = 4};
  CHECK(sum.perplexity() == doctest::Approx(std::exp(2.0)));
  CHECK(sum.bits_per_byte() == doctest::Approx(6 / std::log(2.0) / 8));
  CHECK(Likelihood{}.perplexity() == 0.0);
}

}  // namespace hone
