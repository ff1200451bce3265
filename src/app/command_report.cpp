#include <cstdio>

#include "app/commands.h"
#include "base/error.h"
#include "report/html_report.h"

namespace hone {

void command_report(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(directory, error);
  if (!fs::exists(status)) {
    fail(ErrorKind::io, "{}: there is no such directory; give a run's directory, like runs/arithmetic", directory);
  }
  if (!fs::is_directory(status)) {
    fail(ErrorKind::io, "{}: is not a directory; give a run's directory, like runs/arithmetic", directory);
  }
  if (!fs::exists(fs::path(directory) / "config.yaml", error) &&
      !fs::exists(fs::path(directory) / "metrics.jsonl", error)) {
    fail(ErrorKind::config,
         "{}: is not a run directory: it has neither config.yaml nor metrics.jsonl; give the directory that hone run "
         "made",
         directory);
  }
  std::puts(write_report(directory).c_str());
}

}  // namespace hone
