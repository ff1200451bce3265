#include "base/log.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/error.h"

namespace {

struct Restore {
  ~Restore() {
    hone::set_log_level(hone::LogLevel::info);
    hone::set_log_printer({});
    hone::set_log_file("");
  }
};

}  // namespace

TEST_CASE("base/log: lines reach the printer and the file; quieter levels are dropped") {
  const Restore restore;
  const auto path = std::filesystem::temp_directory_path() / "hone_log_test.txt";
  std::filesystem::remove(path);
  std::vector<std::string> lines;
  hone::set_log_printer([&](std::string_view line) { lines.emplace_back(line); });
  hone::set_log_file(path.string());
  hone::log_info("step {}", 3);
  hone::set_log_level(hone::LogLevel::warn);
  hone::log_info("not shown");
  hone::log_warn("careful");
  hone::log_error("broken");
  CHECK(lines == std::vector<std::string>{"step 3", "warning: careful", "error: broken"});

  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  CHECK(text.find("Z step 3\n") == std::string("2026-01-01T00:00:00").size());
  CHECK(text.find("Z warning: careful\n") != std::string::npos);
  CHECK(text.find("not shown") == std::string::npos);
  std::filesystem::remove(path);
}

TEST_CASE("base/log: what is held comes at the end, each line once, or not at all") {
  const Restore restore;
  std::vector<std::string> lines;
  hone::set_log_printer([&](std::string_view line) { lines.emplace_back(line); });
  {
    hone::LogHold hold;
    hone::log_info("dropped");
    hold.drop();
    hone::log_info("9 rows");
    hone::log_warn("nothing is held out");
    hone::log_info("9 rows");
    CHECK(lines.empty());
  }
  CHECK(lines == std::vector<std::string>{"9 rows", "warning: nothing is held out"});
  hone::log_info("9 rows");
  CHECK(lines.size() == 3);
}

TEST_CASE("base/log: a log file that cannot be opened is an I/O error") {
  const Restore restore;
  try {
    hone::set_log_file("/nonexistent/folder/log.txt");
    FAIL("no error");
  } catch (const hone::Error& error) {
    CHECK(error.kind() == hone::ErrorKind::io);
    CHECK(std::string(error.what()).starts_with("/nonexistent/folder/log.txt: cannot open the log file: "));
  }
}
