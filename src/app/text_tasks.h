#pragma once

#include "app/predict_options.h"
#include "app/predict_tasks.h"

namespace hone {

/// Texts that an encoder-decoder writes from a text: [{"summary_text"}], [{"translation_text"}]. Lengths, beams and
/// penalties are generation_config.json's, over them those of config.json's task_specific_params, over them the options;
/// what none of them says is as in transformers' pipelines: 4 beams, 256 tokens.
PredictTask summarization(const TaskModel& model, const PredictOptions& options);
PredictTask translation(const TaskModel& model, const PredictOptions& options);

}  // namespace hone
