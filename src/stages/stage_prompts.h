#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "flow/environment.h"
#include "stages/run.h"

/// The prompts that a stage will ask, as far as data sets have them (EnvironmentSpec::data_names).
namespace hone {

/// Adds the data sets of an environment that may be missing to `names`.
void add_data_names(const EnvironmentSpec* environment, std::vector<std::string>& names);

/// Error{data} with file and row unless each of the first `most` prompts of the split can be encoded and leaves room for an
/// answer in the context of the run's model.
void require_prompts(Run& run, const EnvironmentSpec& environment, Split split,
                     std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

}  // namespace hone
