#include <cstdio>

#include "app/commands.h"
#include "app/run_comparison.h"
#include "base/error.h"

namespace hone {

namespace {

RunRecord run_at(const std::string& directory) {
  const std::filesystem::path place = directory;
  if (!std::filesystem::exists(place / "metrics.jsonl")) {
    fail(ErrorKind::io, "{}: there is no metrics.jsonl in it; give a run's directory, like runs/arithmetic", directory);
  }
  return read_run(place);
}

}  // namespace

void command_runs_compare(const std::string& first, const std::string& second, bool json) {
  const RunComparison comparison = compare_runs(run_at(first), run_at(second));
  std::fputs(json ? (to_json(comparison).dump() + "\n").c_str() : comparison_text(comparison, first, second).c_str(), stdout);
}

}  // namespace hone
