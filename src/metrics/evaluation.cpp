#include "metrics/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "metrics/answers.h"
#include "metrics/bleu.h"
#include "metrics/calibration.h"
#include "metrics/chrf.h"
#include "metrics/classification.h"
#include "metrics/correlation.h"
#include "metrics/entities.h"
#include "metrics/regression.h"
#include "metrics/roc_auc.h"
#include "metrics/rouge.h"

namespace hone {

namespace {

using Rows = std::span<const std::size_t>;

double or_nan(const std::optional<double>& value) {
  return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

/// The chosen entries of a column.
template <class Value>
std::vector<Value> chosen(const std::vector<Value>& column, Rows rows) {
  std::vector<Value> values;
  values.reserve(rows.size());
  for (const std::size_t row : rows) values.push_back(column[row]);
  return values;
}

template <class Field>
EvaluationMetric class_metric(std::string name, const std::shared_ptr<const ClassifiedRows>& all, Field field) {
  return {std::move(name), [all, field](Rows rows) {
            ConfusionMatrix matrix(all->classes.size());
            for (const std::size_t row : rows) matrix.add(all->labels[row], all->predictions[row]);
            return field(classification_scores(matrix));
          }};
}

double area_under_curve(const ClassifiedRows& all, Rows rows) {
  const std::size_t classes = all.classes.size();
  std::vector<double> scores;
  if (classes == 2) {
    std::vector<std::uint8_t> positive;
    for (const std::size_t row : rows) {
      scores.push_back(all.probabilities[2 * row + 1]);
      positive.push_back(all.labels[row] == 1 ? 1 : 0);
    }
    return or_nan(roc_auc(scores, positive));
  }
  for (const std::size_t row : rows) {
    for (std::size_t c = 0; c < classes; ++c) scores.push_back(all.probabilities[row * classes + c]);
  }
  const auto area = roc_auc_one_versus_rest(scores, chosen(all.labels, rows), classes);
  return area ? area->macro : std::numeric_limits<double>::quiet_NaN();
}

double expected_calibration_error(const ClassifiedRows& all, Rows rows) {
  std::vector<double> confidence;
  std::vector<std::uint8_t> right;
  for (const std::size_t row : rows) {
    const auto predicted = static_cast<std::size_t>(all.predictions[row]);
    confidence.push_back(all.probabilities[row * all.classes.size() + predicted]);
    right.push_back(all.predictions[row] == all.labels[row] ? 1 : 0);
  }
  return calibration_error(confidence, right).expected;
}

/// What was decided about each class of each row.
struct Decisions {
  std::vector<std::uint8_t> labels, predictions;
  std::vector<double> confidence;  ///< in what was decided

  std::vector<std::uint8_t> right() const {
    std::vector<std::uint8_t> right(labels.size());
    for (std::size_t i = 0; i < right.size(); ++i) right[i] = labels[i] == predictions[i] ? 1 : 0;
    return right;
  }
};

Decisions decisions(const MultiLabelRows& all, Rows rows) {
  Decisions found;
  for (const std::size_t row : rows) {
    for (std::size_t i = row * all.classes.size(); i < (row + 1) * all.classes.size(); ++i) {
      const double probability = all.probabilities[i];
      found.labels.push_back(all.labels[i]);
      found.predictions.push_back(probability >= 0.5 ? 1 : 0);
      found.confidence.push_back(std::max(probability, 1 - probability));
    }
  }
  return found;
}

double area_under_curves(const MultiLabelRows& all, Rows rows) {
  double sum = 0;
  int count = 0;
  for (std::size_t c = 0; c < all.classes.size(); ++c) {
    std::vector<double> scores;
    std::vector<std::uint8_t> holds;
    for (const std::size_t row : rows) {
      scores.push_back(all.probabilities[row * all.classes.size() + c]);
      holds.push_back(all.labels[row * all.classes.size() + c]);
    }
    const std::optional<double> area = roc_auc(scores, holds);
    sum += area.value_or(0);
    count += area ? 1 : 0;
  }
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

/// A metric of counts that add up over rows.
template <class Counts, class Value>
EvaluationMetric corpus_metric(std::string name, std::vector<Counts> counts, Value value) {
  auto all = std::make_shared<const std::vector<Counts>>(std::move(counts));
  return {std::move(name), [all, value](Rows rows) {
            Counts sum;
            for (const std::size_t row : rows) sum += (*all)[row];
            return value(sum);
          }};
}

}  // namespace

EvaluationMetric ratio_metric(std::string name, std::vector<double> part, std::vector<double> whole) {
  HONE_ASSERT(part.size() == whole.size());
  auto parts = std::make_shared<const std::vector<double>>(std::move(part));
  auto wholes = std::make_shared<const std::vector<double>>(std::move(whole));
  return {std::move(name), [parts, wholes](Rows rows) {
            double sum = 0, all = 0;
            for (const std::size_t row : rows) sum += (*parts)[row], all += (*wholes)[row];
            return all > 0 ? sum / all : std::numeric_limits<double>::quiet_NaN();
          }};
}

EvaluationMetric mean_metric(std::string name, std::vector<double> values) {
  std::vector<double> ones(values.size(), 1);
  return ratio_metric(std::move(name), std::move(values), std::move(ones));
}

EvaluationMetrics class_metrics(ClassifiedRows rows) {
  const auto all = std::make_shared<const ClassifiedRows>(std::move(rows));
  using Scores = ClassificationScores;
  EvaluationMetrics metrics;
  metrics.push_back(class_metric("accuracy", all, [](const Scores& s) { return s.accuracy; }));
  if (all->classes.size() == 2) {
    metrics.push_back(class_metric("f1", all, [](const Scores& s) { return s.per_class[1].f1; }));
  }
  metrics.push_back(class_metric("f1_macro", all, [](const Scores& s) { return s.macro.f1; }));
  metrics.push_back(class_metric("f1_micro", all, [](const Scores& s) { return s.micro.f1; }));
  metrics.push_back(class_metric("f1_weighted", all, [](const Scores& s) { return s.weighted.f1; }));
  metrics.push_back(class_metric("precision_macro", all, [](const Scores& s) { return s.macro.precision; }));
  metrics.push_back(class_metric("recall_macro", all, [](const Scores& s) { return s.macro.recall; }));
  metrics.push_back(class_metric("mcc", all, [](const Scores& s) { return s.mcc; }));
  metrics.push_back({"roc_auc", [all](Rows chosen_rows) { return area_under_curve(*all, chosen_rows); }});
  metrics.push_back({"ece", [all](Rows chosen_rows) { return expected_calibration_error(*all, chosen_rows); }});
  return metrics;
}

EvaluationMetrics multi_label_metrics(MultiLabelRows rows) {
  const auto all = std::make_shared<const MultiLabelRows>(std::move(rows));
  const auto scored = [&](std::string name, auto field) {
    return EvaluationMetric{std::move(name), [all, field](Rows rows) {
                              const Decisions chosen_rows = decisions(*all, rows);
                              return field(multi_label_scores(chosen_rows.labels, chosen_rows.predictions,
                                                              all->classes.size()));
                            }};
  };
  using Scores = ClassificationScores;
  return {scored("accuracy", [](const Scores& s) { return s.accuracy; }),
          scored("f1_micro", [](const Scores& s) { return s.micro.f1; }),
          scored("f1_macro", [](const Scores& s) { return s.macro.f1; }),
          scored("f1_weighted", [](const Scores& s) { return s.weighted.f1; }),
          scored("precision_micro", [](const Scores& s) { return s.micro.precision; }),
          scored("recall_micro", [](const Scores& s) { return s.micro.recall; }),
          {"roc_auc", [all](Rows rows) { return area_under_curves(*all, rows); }},
          {"ece", [all](Rows rows) {
             const Decisions chosen_rows = decisions(*all, rows);
             return calibration_error(chosen_rows.confidence, chosen_rows.right()).expected;
           }}};
}

EvaluationMetrics number_metrics(std::vector<double> predictions, std::vector<double> labels) {
  const auto x = std::make_shared<const std::vector<double>>(std::move(predictions));
  const auto y = std::make_shared<const std::vector<double>>(std::move(labels));
  const auto metric = [&](std::string name, auto value) {
    return EvaluationMetric{std::move(name), [x, y, value](Rows rows) { return value(chosen(*x, rows), chosen(*y, rows)); }};
  };
  using Column = std::vector<double>;
  return {metric("mse", [](const Column& a, const Column& b) { return regression_errors(a, b).mean_squared; }),
          metric("mae", [](const Column& a, const Column& b) { return regression_errors(a, b).mean_absolute; }),
          metric("r2", [](const Column& a, const Column& b) { return or_nan(regression_errors(a, b).r2); }),
          metric("pearson", [](const Column& a, const Column& b) { return or_nan(pearson(a, b)); }),
          metric("spearman", [](const Column& a, const Column& b) { return or_nan(spearman(a, b)); })};
}

EvaluationMetrics tag_metrics(const std::vector<std::vector<std::string>>& predictions,
                              const std::vector<std::vector<std::string>>& labels) {
  HONE_ASSERT(predictions.size() == labels.size());
  std::vector<double> hits, expected, predicted, twice, both, right, tokens;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::vector<TaggedEntity> found = tagged_entities(predictions[i]), wanted = tagged_entities(labels[i]);
    hits.push_back(static_cast<double>(std::ranges::count_if(
        found, [&](const TaggedEntity& entity) { return std::ranges::find(wanted, entity) != wanted.end(); })));
    expected.push_back(static_cast<double>(wanted.size()));
    predicted.push_back(static_cast<double>(found.size()));
    twice.push_back(2 * hits.back());
    both.push_back(expected.back() + predicted.back());
    double same = 0;
    for (std::size_t t = 0; t < labels[i].size(); ++t) same += predictions[i].at(t) == labels[i][t] ? 1 : 0;
    right.push_back(same);
    tokens.push_back(static_cast<double>(labels[i].size()));
  }
  return {ratio_metric("f1", twice, both), ratio_metric("precision", hits, predicted),
          ratio_metric("recall", hits, expected), ratio_metric("accuracy", right, tokens)};
}

EvaluationMetrics answer_metrics(const std::vector<std::string>& texts,
                                 const std::vector<std::vector<std::string>>& references) {
  HONE_ASSERT(texts.size() == references.size());
  std::vector<double> exact, f1;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const AnswerScore score = answer_score(texts[i], references[i]);
    exact.push_back(score.exact);
    f1.push_back(score.f1);
  }
  return {mean_metric("exact_match", std::move(exact)), mean_metric("f1", std::move(f1))};
}

EvaluationMetrics text_metrics(const std::vector<std::string>& texts,
                               const std::vector<std::vector<std::string>>& references) {
  const BleuOptions bleu_options;
  const ChrfOptions chrf_options;
  std::vector<BleuCounts> bleu_rows;
  std::vector<ChrfCounts> chrf_rows;
  std::vector<std::vector<double>> rouge_rows(rouge_names.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::vector<Words> words;
    for (const std::string& reference : references[i]) words.push_back(bleu_options.words(reference));
    bleu_rows.push_back(bleu_counts(bleu_options.words(texts[i]), words));
    chrf_rows.push_back(chrf_counts(texts[i], references[i], chrf_options));
    for (std::size_t kind = 0; kind < rouge_names.size(); ++kind) {
      rouge_rows[kind].push_back(rouge(static_cast<RougeKind>(kind), texts[i], references[i]).f());
    }
  }
  EvaluationMetrics metrics;
  metrics.push_back(corpus_metric("bleu", std::move(bleu_rows), [](const BleuCounts& sum) { return 100 * bleu(sum, {}); }));
  metrics.push_back(corpus_metric("chrf", std::move(chrf_rows), [](const ChrfCounts& sum) { return 100 * chrf(sum, {}); }));
  for (std::size_t kind = 0; kind < rouge_names.size(); ++kind) {
    metrics.push_back(mean_metric(std::string(rouge_names[kind]), std::move(rouge_rows[kind])));
  }
  for (EvaluationMetric& metric : answer_metrics(texts, references)) metrics.push_back(std::move(metric));
  return metrics;
}

EvaluationMetrics likelihood_metrics(std::vector<Likelihood> rows) {
  EvaluationMetrics metrics;
  metrics.push_back(corpus_metric("loss", rows, [](const Likelihood& sum) { return sum.loss(); }));
  metrics.push_back(corpus_metric("perplexity", std::move(rows), [](const Likelihood& sum) { return sum.perplexity(); }));
  return metrics;
}

std::vector<MetricResult> evaluate(const EvaluationMetrics& metrics, std::size_t rows, bool two_systems,
                                   const Resampling& options) {
  std::vector<std::size_t> all(rows);
  std::iota(all.begin(), all.end(), 0);
  std::vector<MetricResult> results;
  for (const EvaluationMetric& metric : metrics) {
    MetricResult result{.name = metric.name, .value = metric.value(all)};
    if (options.samples == 0) {
      result.interval = {result.value, result.value};
    } else if (metric.repeatable) {
      result.interval = bootstrap_interval(metric.value, rows, options);
    }
    if (two_systems) result.against = compare_paired(metric.value, rows, options);
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace hone
