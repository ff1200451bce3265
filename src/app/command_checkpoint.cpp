#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "app/commands.h"
#include "base/error.h"
#include "base/format.h"
#include "io/atomic_directory.h"
#include "io/file.h"
#include "stages/checkpoint.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

/// The checkpoint itself, or every one below a run directory, in the order in which they were written.
std::vector<fs::path> checkpoints_at(const fs::path& place) {
  std::error_code error;
  if (!fs::is_directory(place, error)) {
    fail(ErrorKind::io, "{}: no such directory; give a run directory or a checkpoint in it", place.string());
  }
  if (fs::exists(place / "manifest.json")) return {place};
  std::vector<fs::path> found;
  const fs::path below = fs::exists(place / "checkpoints") ? place / "checkpoints" : place;
  for (fs::recursive_directory_iterator entry(below), end; entry != end; ++entry) {
    const std::string name = entry->path().filename().string();
    const bool is_one = name == "final" || name.starts_with("step_") || name == "best" || name == "failed";
    if (!entry->is_directory() || !(is_one || name.starts_with(".tmp-"))) continue;
    entry.disable_recursion_pending();
    if (is_one) found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    return std::pair(fs::last_write_time(a), a) < std::pair(fs::last_write_time(b), b);
  });
  if (found.empty()) fail(ErrorKind::data, "{}: there are no checkpoints", place.string());
  return found;
}

std::int64_t bytes_in(const fs::path& directory) {
  std::int64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += static_cast<std::int64_t>(entry.file_size());
  }
  return bytes;
}

/// Stage, step and what it is, of a checkpoint whose record can be read.
std::vector<std::string> described(const fs::path& place) {
  try {
    const CheckpointRecord record = CheckpointRecord::read(place);
    if (record.finished) return {record.stage, "-", "stage ended"};
    return {record.stage, format_count(record.step), "resumable"};
  } catch (const Error&) {
    return {"-", "-", fs::exists(place / "trainer.json") ? "unreadable record" : "model only"};
  }
}

}  // namespace

void command_checkpoint_list(const std::string& directory) {
  Table table({{"stage"}, {"step", Align::right}, {"state"}, {"size", Align::right}, {"place"}});
  for (const fs::path& place : checkpoints_at(directory)) {
    std::vector<std::string> row = described(place);
    row.push_back(format_bytes(bytes_in(place)));
    row.push_back(place.string());
    table.add(std::move(row));
  }
  fmt::print("{}", table.text());
}

void command_checkpoint_verify(const std::string& directory) {
  std::size_t damaged = 0;
  for (const fs::path& place : checkpoints_at(directory)) {
    const std::vector<std::string> problems = verify_directory(place);
    damaged += problems.empty() ? 0 : 1;
    fmt::print("{:<8} {}\n", problems.empty() ? "ok" : "damaged", place.string());
    for (const std::string& problem : problems) fmt::print("         {}\n", problem);
  }
  if (damaged > 0) {
    std::fflush(stdout);
    fail(ErrorKind::data, "{} damaged: hone run goes on from the newest one that is ok",
         damaged == 1 ? "one is" : fmt::format("{} are", damaged));
  }
}

}  // namespace hone
