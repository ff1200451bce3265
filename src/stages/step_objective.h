#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/labels.h"
#include "stages/example_objective.h"

namespace hone {

/// The labels of the training rows' steps, the one that stands for a right step last: `positive`, by default the last by
/// name. Error{data} when there are fewer than two, or none is `positive`.
LabelSet step_labels(const Dataset& data, const std::optional<std::string>& positive);

/// A process reward model: the class of each step, read at the end of the separator behind it (Lightman et al. 2023). The
/// loss is the cross-entropy, the mean over the steps of a batch.
std::unique_ptr<Objective> step_objective(Run& run, const Dataset& data, const LabelSet& labels,
                                          const std::string& separator, std::int64_t held_out_rows,
                                          std::int64_t tokens_per_pass);

}  // namespace hone
