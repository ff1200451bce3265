#pragma once

#include <memory>
#include <string>

#include "stages/run.h"

namespace hone {

/// Another language model that reads the run's token ids: a reference or a teacher. Its LM head and trunk, not trainable.
/// `stage_or_directory` as Run::model_place, or `initial`: the weights that the run began with. Error{config} when its
/// ids mean other tokens than the run's; `key` names the field that asked for it.
std::unique_ptr<Model> load_frozen(const Run& run, const std::string& stage_or_directory, const std::string& key);

}  // namespace hone
