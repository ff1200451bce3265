#include "app/evaluated_rows.h"

#include "base/error.h"
#include "metrics/attempts.h"

namespace hone {

namespace {

template <class Value>
void extend(std::vector<Value>& column, const std::vector<Value>& more) {
  column.insert(column.end(), more.begin(), more.end());
}

/// A list of texts as JSON; one alone as it is.
Json texts_json(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

}  // namespace

void EvaluatedRows::append(const EvaluatedRows& other) {
  if (other.task != task || other.rows != rows || other.classified.classes != classified.classes ||
      other.multi_label.classes != multi_label.classes) {
    fail(ErrorKind::data,
         "the two models cannot be compared: one does {} of {} rows, the other {} of {}; both need the same head and the "
         "same labels",
         task, rows, other.task, other.rows);
  }
  extend(classified.labels, other.classified.labels);
  extend(classified.predictions, other.classified.predictions);
  extend(classified.probabilities, other.classified.probabilities);
  extend(multi_label.labels, other.multi_label.labels);
  extend(multi_label.probabilities, other.multi_label.probabilities);
  extend(numbers, other.numbers);
  extend(expected_numbers, other.expected_numbers);
  extend(tags, other.tags);
  extend(expected_tags, other.expected_tags);
  extend(texts, other.texts);
  extend(references, other.references);
  extend(likelihoods, other.likelihoods);
  extend(right, other.right);
  extend(reward, other.reward);
  extend(majority, other.majority);
  extend(attempts, other.attempts);
}

EvaluationMetrics EvaluatedRows::metrics(const std::vector<std::int64_t>& k) const {
  if (task == "text-classification") return class_metrics(classified);
  if (task == multi_label_task) return multi_label_metrics(multi_label);
  if (task == "regression") return number_metrics(numbers, expected_numbers);
  if (task == "token-classification") return tag_metrics(tags, expected_tags);
  if (task == "question-answering") return answer_metrics(texts, references);
  if (task == "likelihood") return likelihood_metrics(likelihoods);
  EvaluationMetrics metrics;
  if (!references.empty()) metrics = text_metrics(texts, references);
  const auto distinct = [all = texts](std::span<const std::size_t> rows) {
    std::vector<std::string> chosen;
    for (const std::size_t row : rows) chosen.push_back(all[row]);
    return distinct_n(chosen, 1);
  };
  metrics.push_back({.name = "distinct_1", .value = distinct, .repeatable = false});
  if (reward.empty()) return metrics;
  metrics.push_back(mean_metric("reward", reward));
  for (const std::int64_t n : k) {
    std::vector<double> passed;
    for (std::size_t i = 0; i < right.size(); ++i) {
      passed.push_back(pass_at_k(attempts[i], static_cast<std::int64_t>(right[i]), n));
    }
    metrics.push_back(mean_metric("pass@" + std::to_string(n), std::move(passed)));
  }
  if (attempts.front() > 1) metrics.push_back(mean_metric("maj@" + std::to_string(attempts.front()), majority));
  return metrics;
}

Json EvaluatedRows::output(std::size_t i) const {
  Json row = Json::object();
  if (task == "text-classification") {
    const auto predicted = static_cast<std::size_t>(classified.predictions[i]);
    row.set("label", classified.classes[static_cast<std::size_t>(classified.labels[i])]);
    row.set("prediction", classified.classes[predicted]);
    row.set("probability", classified.probabilities[i * classified.classes.size() + predicted]);
  } else if (task == multi_label_task) {
    const std::size_t classes = multi_label.classes.size();
    Json label = Json::array(), prediction = Json::array();
    for (std::size_t c = 0; c < classes; ++c) {
      if (multi_label.labels[i * classes + c] != 0) label.push_back(multi_label.classes[c]);
      if (multi_label.probabilities[i * classes + c] >= 0.5) prediction.push_back(multi_label.classes[c]);
    }
    row.set("label", label);
    row.set("prediction", prediction);
  } else if (task == "regression") {
    row.set("label", expected_numbers[i]);
    row.set("prediction", numbers[i]);
  } else if (task == "token-classification") {
    row.set("label", texts_json(expected_tags[i]));
    row.set("prediction", texts_json(tags[i]));
  } else if (task == "likelihood") {
    row.set("loss", likelihoods[i].loss());
    row.set("tokens", likelihoods[i].tokens);
  } else {
    if (!references.empty()) row.set("label", texts_json(references[i]));
    row.set("prediction", texts[i]);
    if (!reward.empty()) row.set("reward", reward[i]);
  }
  return row;
}

}  // namespace hone
