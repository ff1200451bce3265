#pragma once

#include <filesystem>
#include <string>

#include "report/record/run_record.h"

namespace hone {

/// The page: one offline HTML document with stage table, curves, samples, heat maps, configuration and machine. Well
/// below 3 MB for runs of any length.
std::string report_html(const RunRecord& run);

/// Writes DIRECTORY/report.html from the files of the run directory alone: of a run that goes on, was killed, or is
/// very old. What is missing or odd becomes a note on the page; Error{io} or Error{permission} when the page cannot be
/// written. Returns its path.
std::filesystem::path write_report(const std::filesystem::path& run_directory);

/// The same for a run that must go on: a failure is a warning in the log.
void refresh_report(const std::filesystem::path& run_directory);

}  // namespace hone
