#include "io/lock_file.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {

using test::contents_of;
using test::Scratch;

TEST_CASE("io: a lock is held by one process, which the other is told") {
  const Scratch scratch;
  const auto path = scratch.path() / "lock";
  int ready[2], go[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(go) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const LockFile lock(path);
    char byte = 'x';
    if (::write(ready[1], &byte, 1) != 1 || ::read(go[0], &byte, 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  const std::string holder = fmt::format("in use by process {} on ", child), place = scratch.path().string();
  HONE_CHECK_ERROR(io, LockFile{path}, place, holder);
  REQUIRE(::write(go[1], "x", 1) == 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  const LockFile lock(path);  // the holder has ended
  CHECK(contents_of(path).starts_with(fmt::format("process {} on ", ::getpid())));
}

}  // namespace hone
