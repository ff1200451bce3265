#pragma once

#include <string>

#include "report/model_card.h"
#include "stages/run.h"

/// The pages (README.md) of model directories.
namespace hone {

/// What a model tells of itself: class, parameters, adapters.
ModelCard card_of(const Model& model);

/// The same with where it comes from: the run's base model, stages, data, and what was measured on held-out rows by the
/// end of the stages before and of this one. The same for the same state, however often a run was interrupted.
ModelCard card_of(const Run& run, const CheckpointRecord& record);

/// The name on a model hub ("org/name") that a directory's path tells: that of a hub's local cache, which has folders like
/// models--org--name/snapshots/… Empty for any other path.
std::string hub_name(const std::string& path);

}  // namespace hone
