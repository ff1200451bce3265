#pragma once

#include "base/json.h"
#include "io/file.h"

#include <filesystem>
#include <string_view>

namespace hone::test {

/// The folder tests/golden of the source tree this file was compiled from.
inline std::filesystem::path committed_golden_folder() {
  return std::filesystem::path(__FILE__).parent_path().parent_path() / "golden";
}

/// A golden file that a script in tools/golden wrote.
inline Json committed_golden(std::string_view file) {
  const std::filesystem::path path = committed_golden_folder() / file;
  return Json::parse(read_file(path), path.string());
}

}  // namespace hone::test
