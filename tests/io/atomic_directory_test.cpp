#include "io/atomic_directory.h"

#include "io/checksum.h"
#include "io/file.h"
#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {

using test::Scratch;
namespace fs = std::filesystem;

namespace {

void write_directory(const fs::path& place, std::string_view contents,
                     AtomicDirectory::Existing existing = AtomicDirectory::Existing::refuse) {
  AtomicDirectory directory(place, existing);
  fs::create_directory(directory.path() / "inner");
  write_file_atomic(directory.path() / "weights", contents);
  write_file_atomic(directory.path() / "inner" / "empty", "");
  directory.commit();
}

}  // namespace

TEST_CASE("io: a directory appears whole and verifies") {
  const Scratch scratch;
  write_directory(scratch.path() / "sub" / "step_1", "abc");
  CHECK(verify_directory(scratch.path() / "sub" / "step_1").empty());
  CHECK(std::distance(fs::directory_iterator(scratch.path() / "sub"), {}) == 1);
}

TEST_CASE("io: without a commit no directory appears, and a leftover is cleared") {
  const Scratch scratch;
  fs::create_directories(scratch.path() / ".tmp-a");
  scratch.file(".tmp-a/stale", "x");
  {
    AtomicDirectory directory(scratch.path() / "a");
    CHECK(!fs::exists(directory.path() / "stale"));
    CHECK(!fs::exists(scratch.path() / "a"));
  }
  CHECK(fs::is_empty(scratch.path()));
}

TEST_CASE("io: an existing directory is refused, or replaced in one step") {
  const Scratch scratch;
  write_directory(scratch.path() / "best", "old");
  HONE_CHECK_ERROR(io, AtomicDirectory(scratch.path() / "best"), "best", "not overwritten");
  write_directory(scratch.path() / "best", "new", AtomicDirectory::Existing::replace);
  CHECK(read_file(scratch.path() / "best" / "weights") == "new");
  CHECK(verify_directory(scratch.path() / "best").empty());
  CHECK(std::distance(fs::directory_iterator(scratch.path()), {}) == 1);
}

TEST_CASE("io: verification names what is missing, cut short or changed") {
  const Scratch scratch;
  const fs::path place = scratch.path() / "a";
  write_directory(place, "abcdef");
  scratch.file("a/weights", "abcdeX");
  auto problems = verify_directory(place);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] == "weights: checksum " + checksum("abcdeX") + ", expected " + checksum("abcdef"));
  scratch.file("a/weights", "abc");
  problems = verify_directory(place);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] == "weights: 3 bytes, expected 6");
  fs::remove(place / "weights");
  CHECK(verify_directory(place).size() == 1);
  scratch.file("a/manifest.json", "{\"format\": \"hone-directory\", \"version\": 9}");
  CHECK(verify_directory(place).at(0).find("version 9") != std::string::npos);
  fs::remove(place / "manifest.json");
  CHECK(verify_directory(place).size() == 1);
}

TEST_CASE("io: numbered directories come with the greatest first") {
  const Scratch scratch;
  CHECK(numbered_directories(scratch.path() / "none", "step_").empty());
  for (const char* name : {"step_9", "step_10", "step_100"}) write_directory(scratch.path() / name, "abc");
  fs::create_directory(scratch.path() / "step_x");
  fs::create_directory(scratch.path() / "step_-1");
  fs::create_directory(scratch.path() / ".tmp-step_200");
  scratch.file("step_7", "a file");
  const auto found = numbered_directories(scratch.path(), "step_");
  REQUIRE(found.size() == 3);
  CHECK(found[0] == std::pair<std::int64_t, fs::path>{100, scratch.path() / "step_100"});
  CHECK(found[2].first == 9);
}

TEST_CASE("io: checksums are XXH3-64") {
  CHECK(checksum("") == "2d06800538d394c2");  // the published value of the empty input
}

}  // namespace hone
