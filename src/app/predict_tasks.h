#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "app/predict_options.h"
#include "app/task_model.h"
#include "base/json.h"

namespace hone {

/// One task over one model: JSON in, JSON out, as the pipelines of transformers write it.
using PredictTask = std::function<Json(const Json& input)>;

struct TaskRow {
  std::string_view name;
  std::string_view input;  ///< for --help: "a text", "{question, context}"
  PredictTask (*make)(const TaskModel& model, const PredictOptions& options);
};
/// text-classification, token-classification, question-answering, fill-mask, summarization, translation,
/// feature-extraction, sentence-similarity.
std::span<const TaskRow> predict_tasks();

}  // namespace hone
