#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "support/test_data.h"

namespace hone::test {

/// One of the shared golden files, for example "rl_losses.json". The folder is data_folder().
inline Json golden_file(const std::filesystem::path& folder, std::string_view file) {
  const auto path = folder / "golden" / file;
  std::ifstream stream(path);
  if (!stream) fail(ErrorKind::io, "cannot open {}: HONE_TEST_DATA must name the shared data folder", path.string());
  std::stringstream text;
  text << stream.rdbuf();
  return Json::parse(text.str(), path.string());
}

/// The case with this id. tools/check_golden takes the two literals in a test's source as proof of coverage.
inline Json golden_case(const std::filesystem::path& folder, std::string_view file, std::string_view id) {
  const auto all = golden_file(folder, file);
  for (const auto& item : all.at("cases").as_array()) {
    if (item.at("id").as_string() == id) return item;
  }
  fail(ErrorKind::data, "{} has no case {}", file, id);
}

}  // namespace hone::test
