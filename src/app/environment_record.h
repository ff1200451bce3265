#pragma once

#include <filesystem>

#include "app/root_config.h"
#include "stages/run.h"

namespace hone {

/// Writes environment.json into the run's directory: program, machine, libraries, precision, seed, checksums of the data
/// files, and one entry for each process that has worked on the run. Data files that are no longer what they were since
/// the run began are warned of.
void record_environment(const std::filesystem::path& directory, const RootConfig& config, const Run& run);

}  // namespace hone
