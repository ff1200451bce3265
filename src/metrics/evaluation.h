#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "metrics/likelihood.h"
#include "metrics/resampling.h"

namespace hone {

/// One figure of an evaluation, and how any choice of rows gives it. The rows of two systems that are compared follow
/// one another (resampling.h).
struct EvaluationMetric {
  std::string name;
  RowMetric value;
  bool repeatable = true;  ///< false: a row that is drawn twice distorts it, so that it has no interval
};
using EvaluationMetrics = std::vector<EvaluationMetric>;

/// Σ part / Σ whole over rows; NaN where the whole is 0.
EvaluationMetric ratio_metric(std::string name, std::vector<double> part, std::vector<double> whole);
/// The mean over rows.
EvaluationMetric mean_metric(std::string name, std::vector<double> values);

/// Rows of one class each. `probabilities` is row-major [rows, classes].
struct ClassifiedRows {
  std::vector<std::string> classes;
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> predictions;
  std::vector<double> probabilities;
};
/// accuracy, f1_macro, f1_micro, f1_weighted, precision_macro, recall_macro, mcc, roc_auc (one against the rest, macro;
/// of two classes that of the second) and ece; of two classes also f1 of the second.
EvaluationMetrics class_metrics(ClassifiedRows rows);

/// Rows of any number of classes at once. All are row-major [rows, classes]; a class is predicted from ½ on.
struct MultiLabelRows {
  std::vector<std::string> classes;
  std::vector<std::uint8_t> labels;  ///< 1 where the class holds
  std::vector<double> probabilities;
};
/// accuracy (every class of a row right), f1_micro, f1_macro, f1_weighted, precision_micro, recall_micro, roc_auc (macro over
/// the classes that can be scored) and ece over all single decisions.
EvaluationMetrics multi_label_metrics(MultiLabelRows rows);

/// mse, mae, r2, pearson, spearman.
EvaluationMetrics number_metrics(std::vector<double> predictions, std::vector<double> labels);

/// f1, precision and recall over all entities (entities.h), accuracy over tokens.
EvaluationMetrics tag_metrics(const std::vector<std::vector<std::string>>& predictions,
                              const std::vector<std::vector<std::string>>& labels);

/// exact_match and f1 of answers.h.
EvaluationMetrics answer_metrics(const std::vector<std::string>& texts,
                                 const std::vector<std::vector<std::string>>& references);

/// bleu and chrf of the corpus (0 … 100, sacrebleu's defaults), mean rouge1, rouge2, rougeL, rougeLsum (F, without
/// stemmer), and answer_metrics. Each text with at least one reference.
EvaluationMetrics text_metrics(const std::vector<std::string>& texts,
                               const std::vector<std::vector<std::string>>& references);

/// loss and perplexity.
EvaluationMetrics likelihood_metrics(std::vector<Likelihood> rows);

struct MetricResult {
  std::string name;
  double value = 0;  ///< of the first system
  std::optional<Interval> interval;
  std::optional<PairedDifference> against;  ///< the second system
};

/// Each metric on all `rows`, with the interval of its value (the value itself without options.samples), and with a second
/// system behind the first its paired difference.
std::vector<MetricResult> evaluate(const EvaluationMetrics& metrics, std::size_t rows, bool two_systems,
                                   const Resampling& options);

}  // namespace hone
