#pragma once

#include <initializer_list>
#include <string_view>

#include "data/examples.h"
#include "stages/run.h"

/// What stages ask of the kind of model that a run trains.
namespace hone {

/// Error{config} unless the run's model is of one of these kinds; `advice` ends the message: what to use instead.
void require_kind(const Run& run, std::string_view stage, std::initializer_list<PolicyKind> kinds,
                  std::string_view advice);

/// How rows become sequences of this model.
ModelInput input_of(const Model& model);

}  // namespace hone
