#include "io/file.h"

#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {

using test::contents_of;
using test::Scratch;

TEST_CASE("io: an atomic write replaces the file and leaves nothing beside it") {
  const Scratch scratch;
  const auto path = scratch.file("a.txt", "old");
  write_file_atomic(path, "new\n");
  CHECK(read_file(path) == "new\n");
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
}

TEST_CASE("io: an atomic file without a commit changes nothing") {
  const Scratch scratch;
  const auto path = scratch.file("a.txt", "old");
  {
    AtomicFile file(path);
    file.write("half");
  }
  CHECK(contents_of(path) == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
}

TEST_CASE("io: reading tells the path and the system's reason") {
  const Scratch scratch;
  HONE_CHECK_ERROR(io, read_file(scratch.path() / "none"), "none", "No such file");
  HONE_CHECK_ERROR(io, read_file(scratch.path()), "directory");
  HONE_CHECK_ERROR(io, write_file_atomic(scratch.path() / "no" / "such", "x"), "No such file");
  CHECK(read_file(scratch.file("empty", "")).empty());
}

TEST_CASE("io: read-only places are a permission error") {
  HONE_CHECK_ERROR(permission, fail_system("cannot open", "x", EACCES), "cannot open x", "Permission denied");
  HONE_CHECK_ERROR(permission, fail_system("cannot open", "x", EROFS), "Read-only");
}

}  // namespace hone
