#pragma once

#include "app/evaluated_rows.h"
#include "app/task_model.h"

/// The parts of evaluate_model: each fills the columns of its task for the first `count` rows.
namespace hone {

/// A model with a head for classes, tokens or spans.
void evaluate_head(const TaskModel& model, const Dataset& data, Split split, std::size_t count, EvaluatedRows& out);
/// How likely a language model finds the rows; of prompt+completion and messages the answers.
void evaluate_likelihood(const TaskModel& model, const Dataset& data, Split split, std::size_t count,
                         EvaluatedRows& out);
/// Answers to the rows as prompts, and what a reward thinks of them.
void evaluate_generation(const std::string& directory, const std::shared_ptr<const Dataset>& data, Split split,
                         std::size_t count, const EvaluateCommand& command, EvaluatedRows& out);

}  // namespace hone
