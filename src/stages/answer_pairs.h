#pragma once

#include "stages/example_objective.h"

namespace hone {

/// Chosen and rejected answers with their prompts as documents, which is how a reward model is asked: two examples a row,
/// whose `row` is the pair's place. All training pairs and at most `held_out_rows` held-out ones. Error{data} for an empty
/// answer, and for two that are the same within the context.
LearnableRows load_answer_pairs(Run& run, const Dataset& data, std::int64_t held_out_rows);

}  // namespace hone
