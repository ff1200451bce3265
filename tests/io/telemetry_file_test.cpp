#include "io/telemetry_file.h"

#include <sys/resource.h>

#include <csignal>

#include "base/log.h"
#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {

using test::contents_of;
using test::Scratch;

namespace {

/// Log messages while it lives.
struct LogLines {
  std::string text;
  LogLines() {
    set_log_printer([this](std::string_view line) { text += std::string(line) + "\n"; });
  }
  ~LogLines() { set_log_printer({}); }
  bool has(std::string_view words) const { return text.find(words) != std::string::npos; }
};

/// Makes writes behind `bytes` of any file fail, as a full disk does.
struct FileSizeLimit {
  rlimit before{};
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limit{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before); }
};

}  // namespace

TEST_CASE("io: a telemetry file goes on where it is told to") {
  const Scratch scratch;
  const auto path = scratch.file("rows", "one\ntwo\nthr");
  {
    TelemetryFile file(path, 4);
    CHECK(file.size() == 4);
    file.append("2\n");
    CHECK(file.sync() == 6);
  }
  CHECK(contents_of(path) == "one\n2\n");
  TelemetryFile(path).append("3\n");
  CHECK(contents_of(path) == "one\n2\n3\n");
}

TEST_CASE("io: a telemetry file that has fewer bytes than before says so and goes on") {
  const Scratch scratch;
  const auto path = scratch.file("rows", "one\n");
  const LogLines log;
  TelemetryFile file(path, 100);
  CHECK(log.has("4 bytes, 100 were written before"));
  file.append("2\n");
  CHECK(contents_of(path) == "one\n2\n");
}

TEST_CASE("io: a telemetry file that is deleted comes back whole") {
  const Scratch scratch;
  const auto path = scratch.path() / "rows";
  const LogLines log;
  TelemetryFile file(path);
  file.append("one\n");
  std::filesystem::remove(path);
  file.append("two\n");
  CHECK(contents_of(path) == "one\ntwo\n");
  CHECK(log.has("was removed"));
}

TEST_CASE("io: a telemetry file keeps what the disk does not take and writes it later") {
  const Scratch scratch;
  const auto path = scratch.path() / "rows";
  const LogLines log;
  TelemetryFile file(path);
  file.append("one\n");
  {
    const FileSizeLimit full(6);
    file.append("two\n");
    file.append("three\n");
    CHECK(contents_of(path) == "one\n");
    CHECK(log.has("cannot write: File too large"));
    CHECK(file.sync() == 4);
  }
  file.append("four\n");
  CHECK(contents_of(path) == "one\ntwo\nthree\nfour\n");
  CHECK(log.has("written again, nothing was lost"));
}

TEST_CASE("io: a telemetry file that cannot be opened is an error at once") {
  const Scratch scratch;
  HONE_CHECK_ERROR(io, TelemetryFile(scratch.path() / "no" / "rows"), "cannot open", "No such file");
}

}  // namespace hone
