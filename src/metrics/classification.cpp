#include "metrics/classification.h"

#include <cmath>

#include "base/error.h"

namespace hone {

namespace {

double ratio(double part, double whole) { return whole != 0 ? part / whole : 0.0; }

ClassScores scores_of(std::int64_t hits, std::int64_t labels, std::int64_t predictions) {
  const auto found = static_cast<double>(hits);
  return {.precision = ratio(found, static_cast<double>(predictions)),
          .recall = ratio(found, static_cast<double>(labels)),
          .f1 = ratio(2 * found, static_cast<double>(labels + predictions)),
          .support = labels};
}

/// Fills the averages from per_class; `counted` says which classes the macro average has.
void average(ClassificationScores& scores, const std::vector<bool>& counted) {
  double classes = 0, support = 0;
  for (std::size_t c = 0; c < scores.per_class.size(); ++c) {
    const ClassScores& one = scores.per_class[c];
    const auto weight = static_cast<double>(one.support);
    support += weight;
    scores.weighted.precision += weight * one.precision;
    scores.weighted.recall += weight * one.recall;
    scores.weighted.f1 += weight * one.f1;
    if (!counted[c]) continue;
    ++classes;
    scores.macro.precision += one.precision;
    scores.macro.recall += one.recall;
    scores.macro.f1 += one.f1;
  }
  for (const auto& [average, by] : {std::pair(&scores.macro, classes), std::pair(&scores.weighted, support)}) {
    average->precision = ratio(average->precision, by);
    average->recall = ratio(average->recall, by);
    average->f1 = ratio(average->f1, by);
    average->support = static_cast<std::int64_t>(support);
  }
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::span<const std::int64_t> labels, std::span<const std::int64_t> predictions,
                                 std::size_t classes)
    : ConfusionMatrix(classes) {
  HONE_ASSERT(labels.size() == predictions.size());
  for (std::size_t i = 0; i < labels.size(); ++i) add(labels[i], predictions[i]);
}

void ConfusionMatrix::add(std::int64_t label, std::int64_t prediction, std::int64_t count) {
  const auto row = static_cast<std::size_t>(label), column = static_cast<std::size_t>(prediction);
  HONE_ASSERT(row < classes_ && column < classes_);
  counts_[row * classes_ + column] += count;
}

std::int64_t ConfusionMatrix::labels(std::size_t of_class) const {
  std::int64_t sum = 0;
  for (std::size_t c = 0; c < classes_; ++c) sum += count(of_class, c);
  return sum;
}

std::int64_t ConfusionMatrix::predictions(std::size_t of_class) const {
  std::int64_t sum = 0;
  for (std::size_t c = 0; c < classes_; ++c) sum += count(c, of_class);
  return sum;
}

std::int64_t ConfusionMatrix::hits() const {
  std::int64_t sum = 0;
  for (std::size_t c = 0; c < classes_; ++c) sum += count(c, c);
  return sum;
}

std::int64_t ConfusionMatrix::total() const {
  std::int64_t sum = 0;
  for (const std::int64_t count : counts_) sum += count;
  return sum;
}

ClassificationScores classification_scores(const ConfusionMatrix& matrix) {
  ClassificationScores scores;
  const auto hits = static_cast<double>(matrix.hits()), total = static_cast<double>(matrix.total());
  std::vector<bool> occurs;
  double chance = 0, label_squares = 0, prediction_squares = 0;
  for (std::size_t c = 0; c < matrix.classes(); ++c) {
    const std::int64_t labels = matrix.labels(c), predictions = matrix.predictions(c);
    scores.per_class.push_back(scores_of(matrix.count(c, c), labels, predictions));
    occurs.push_back(labels + predictions > 0);
    const auto l = static_cast<double>(labels), p = static_cast<double>(predictions);
    chance += l * p;
    label_squares += l * l;
    prediction_squares += p * p;
  }
  average(scores, occurs);
  scores.accuracy = ratio(hits, total);
  scores.micro = {scores.accuracy, scores.accuracy, scores.accuracy, matrix.total()};
  const double spread = (total * total - prediction_squares) * (total * total - label_squares);
  scores.mcc = spread > 0 ? (hits * total - chance) / std::sqrt(spread) : 0;
  scores.kappa = ratio(hits * total - chance, total * total - chance);
  return scores;
}

ClassificationScores multi_label_scores(std::span<const std::uint8_t> labels, std::span<const std::uint8_t> predictions,
                                        std::size_t classes) {
  HONE_ASSERT(classes > 0 && labels.size() == predictions.size() && labels.size() % classes == 0);
  std::vector<std::int64_t> hits(classes, 0), expected(classes, 0), predicted(classes, 0);
  std::int64_t exact = 0, all_hits = 0, all_expected = 0, all_predicted = 0;
  const std::size_t rows = labels.size() / classes;
  for (std::size_t row = 0; row < rows; ++row) {
    bool equal = true;
    for (std::size_t c = 0; c < classes; ++c) {
      const bool label = labels[row * classes + c] != 0, prediction = predictions[row * classes + c] != 0;
      hits[c] += label && prediction ? 1 : 0;
      expected[c] += label ? 1 : 0;
      predicted[c] += prediction ? 1 : 0;
      equal = equal && label == prediction;
    }
    exact += equal ? 1 : 0;
  }
  ClassificationScores scores;
  for (std::size_t c = 0; c < classes; ++c) {
    scores.per_class.push_back(scores_of(hits[c], expected[c], predicted[c]));
    all_hits += hits[c];
    all_expected += expected[c];
    all_predicted += predicted[c];
  }
  average(scores, std::vector<bool>(classes, true));
  scores.micro = scores_of(all_hits, all_expected, all_predicted);
  scores.accuracy = ratio(static_cast<double>(exact), static_cast<double>(rows));
  return scores;
}

}  // namespace hone
