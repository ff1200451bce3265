#pragma once

#include <memory>
#include <string>

#include "flow/services.h"
#include "nn/model.h"
#include "text/tokenizer.h"

namespace hone {

/// Asks a process reward model as it was trained: the probability of its last class where the separator behind each step
/// ends. Steps that end beyond the model's context get NaN. Owns the frozen model and its tokenizer. Error{data} when the
/// model has no head for tokens with two classes or more.
std::unique_ptr<StepScorer> step_scorer(std::unique_ptr<Model> model, std::unique_ptr<Tokenizer> tokenizer,
                                        const std::string& separator);

}  // namespace hone
