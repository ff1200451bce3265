#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"
#include "base/json.h"
#include "data/dataset.h"
#include "metrics/evaluation.h"

namespace hone {

inline constexpr std::string_view multi_label_task = "multi-label classification";

/// What a model made of the rows of a data set, a column each; those that the task has are filled.
struct EvaluatedRows {
  /// text-classification, multi-label classification, regression, token-classification, question-answering, likelihood,
  /// generation
  std::string task;
  std::size_t rows = 0;
  ClassifiedRows classified;
  MultiLabelRows multi_label;
  std::vector<double> numbers, expected_numbers;
  std::vector<std::vector<std::string>> tags, expected_tags;
  std::vector<std::string> texts;                    ///< the first answer to each row
  std::vector<std::vector<std::string>> references;  ///< of the texts
  std::vector<Likelihood> likelihoods;
  std::vector<double> right;      ///< attempts of each row that the reward calls right (value ≥ 1), with a reward
  std::vector<double> reward;     ///< the mean reward of the attempts
  std::vector<double> majority;   ///< 1 where the answer that most attempts agree on is right
  std::vector<std::int64_t> attempts;

  /// Puts the rows of another model behind these; both made something of the same rows for the same task.
  void append(const EvaluatedRows& other);
  /// pass@k for each k.
  EvaluationMetrics metrics(const std::vector<std::int64_t>& k) const;
  /// The output of row i.
  Json output(std::size_t i) const;
};

/// Asks the model in `directory` about the rows of a split. The task goes by the model's head and the rows' shape.
/// Error{data} when they do not go together.
EvaluatedRows evaluate_model(const std::string& directory, const Dataset& data, Split split,
                             const EvaluateCommand& command);

}  // namespace hone
