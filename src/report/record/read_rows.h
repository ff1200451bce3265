#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "report/record/run_record.h"

namespace hone {

/// Gives every line of a file that is a JSON object to `use`. Other lines, a missing file and what `use` cannot make
/// sense of (an Error) become notes.
void for_each_row(const std::filesystem::path& path, std::vector<std::string>& notes,
                  const std::function<void(const Json& row)>& use);

/// The stage of this name, added when it is new.
StageRecord& stage_of(std::vector<StageRecord>& stages, const std::string& name);

/// Adds the rows of metrics.jsonl to their stages. A step that was written again (by a run that went back to a
/// checkpoint) replaces what was written from there on.
void read_metric_rows(const std::filesystem::path& path, RunRecord& run);

/// Adds the samples that are worth showing: of the first and the last evaluation, and of the last steps.
void read_sample_rows(const std::filesystem::path& path, RunRecord& run);

}  // namespace hone
