#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace hone::test {

/// The folder with shared test data (HONE_TEST_DATA), or empty when it is not set.
inline std::filesystem::path data_folder() {
  const char* folder = std::getenv("HONE_TEST_DATA");
  return folder == nullptr ? std::filesystem::path() : std::filesystem::path(folder);
}

}  // namespace hone::test

/// Ends the test case when there is no shared data; tools/test counts the printed line as a skipped case.
#define HONE_NEEDS_TEST_DATA(folder)                                           \
  const std::filesystem::path folder = ::hone::test::data_folder();            \
  if (folder.empty()) {                                                        \
    MESSAGE("skipped: HONE_TEST_DATA is not set");                             \
    return;                                                                    \
  }
