#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stages/example_objective.h"

namespace hone {

/// What a reward model with several scores learns.
struct Attributes {
  std::vector<std::string> names;
  at::Tensor weight_K;  ///< float32: what each counts in the loss
};

/// Whether rows of the data set have several scores, or pairs several preferences.
bool has_attributes(const Dataset& data);

/// The attributes of the training rows, in the order in which they first occur. `weights` by name, others 1. Error{data}
/// for a weight of none of them and for one below 0.
Attributes attributes_of(const Dataset& data, const std::vector<std::pair<std::string, double>>& weights);

/// A head with a score for each attribute: rows with scores by their squared errors, pairs by Bradley and Terry's loss in
/// each respect. Needs the run's model only when it is asked for a loss. Error{data} for a row that says nothing of any
/// attribute.
std::unique_ptr<Objective> attribute_objective(Run& run, const Dataset& data, Attributes attributes, double centering,
                                               std::int64_t held_out_rows, std::int64_t tokens_per_pass);

}  // namespace hone
