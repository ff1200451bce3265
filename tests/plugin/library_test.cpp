#include "plugin/library.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>

#include "compiled_plugin.h"
#include "plugin/library_call.h"
#include "plugin/shared_object.h"
#include "support/error_of.h"

using namespace hone;
using hone::test::compiled_plugin;

namespace {

/// An environment variable with another value, until the end of the test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* now = std::getenv(name)) before_ = now;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_) ::setenv(name_, before_->c_str(), 1);
    else ::unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

std::filesystem::path tables(int fault) { return compiled_plugin("tables.c", fmt::format("-DFAULT={}", fault)); }

/// The library's bytes with one byte changed.
std::string changed(std::string bytes, std::size_t at, char value) {
  bytes.at(at) = value;
  return bytes;
}

}  // namespace

TEST_CASE("library: a plug-in is loaded once and tells what it offers") {
  HONE_NEEDS_COMPILERS();
  const auto library = Library::open(tables(0));
  CHECK(library->name() == "tables");
  REQUIRE(library->reward() != nullptr);
  CHECK(library->reward()->scope == HONE_SCOPE_BATCH);
  CHECK(library->reward()->threads == HONE_THREADS_SERIAL);
  CHECK(library->environment() == nullptr);
  CHECK(Library::open(tables(0)) == library);
  CHECK(Library::open(tables(0).parent_path() / "." / tables(0).filename()) == library);
}

TEST_CASE("library: every table that cannot be right is refused by name") {
  HONE_NEEDS_COMPILERS();
  HONE_CHECK_ERROR(config, Library::open(tables(1)), "ABI version 99", "this hone has 1", ".so");
  HONE_CHECK_ERROR(config, Library::open(tables(2)), "hone_plugin", "24 bytes", "at least 40");
  HONE_CHECK_ERROR(config, Library::open(tables(3)), "refuses this host", "returned NULL");
  HONE_CHECK_ERROR(config, Library::open(tables(4)), "neither a reward nor an environment");
  HONE_CHECK_ERROR(config, Library::open(tables(5)), "hone_reward.score is NULL");
  HONE_CHECK_ERROR(config, Library::open(tables(6)), "hone_reward.scope is 9", "0 to 2");
  HONE_CHECK_ERROR(config, Library::open(tables(7)), "hone_plugin.name is NULL");
  HONE_CHECK_ERROR(config, Library::open(tables(8)), "has no function hone_plugin_entry", "HONE_PLUGIN_EXPORT");
  HONE_CHECK_ERROR(config, Library::open(tables(9)), "cannot be loaded", "of_another_library");
  HONE_CHECK_ERROR(config, Library::open(tables(10)), "only one of", "state_save");
  HONE_CHECK_ERROR(config, Library::open(tables(11)), "hone_reward", "16 bytes");
  HONE_CHECK_ERROR(config, Library::open(compiled_plugin("throwing.cpp", "-DWHERE=1")), "threw: thrown in the entry");
}

TEST_CASE("library: tables of a later header are fine, and its need of a later host is told") {
  HONE_NEEDS_COMPILERS();
  CHECK(Library::open(tables(20))->reward() != nullptr);
  HONE_CHECK_ERROR(config, Library::open(tables(21)), "refuses this host");
}

TEST_CASE("library: an older plug-in's shorter table is filled up with null") {
  HONE_NEEDS_COMPILERS();
  const auto library = Library::open(compiled_plugin("old_environment.c"));
  REQUIRE(library->environment() != nullptr);
  CHECK((library->environment()->prompt != nullptr));
  CHECK((library->environment()->reset == nullptr));
  CHECK((library->environment()->step == nullptr));
  CHECK((library->environment()->state_load == nullptr));
}

TEST_CASE("library: what is no shared library of this machine is named without loading it") {
  HONE_NEEDS_COMPILERS();
  const test::Scratch scratch;
  const std::string good = test::contents_of(tables(0));
  const auto file = [&](std::string_view bytes) { return scratch.file("plugin.so", bytes); };
  HONE_CHECK_ERROR(io, Library::open(scratch.path() / "none.so"), "none.so", "No such file");
  HONE_CHECK_ERROR(io, Library::open(scratch.path()), "a directory");
  const std::filesystem::path pipe = scratch.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  HONE_CHECK_ERROR(io, Library::open(pipe), "a pipe");
  HONE_CHECK_ERROR(config, Library::open(file("")), "an empty file");
  HONE_CHECK_ERROR(config, Library::open(file("#!/usr/bin/python3\n")), "a script", "`exec`");
  HONE_CHECK_ERROR(config, Library::open(file("!<arch>\n")), "a static library");
  HONE_CHECK_ERROR(config, Library::open(file("MZ\x90")), "Windows");
  HONE_CHECK_ERROR(config, Library::open(file("some text")), "another kind of file");
  // The ELF header: byte 4 is the word size, 5 the byte order, 16 the type, 18 the machine.
  HONE_CHECK_ERROR(config, Library::open(file(changed(good, 18, '\xB7'))), "64-bit ARM", "this program is for x86-64");
  HONE_CHECK_ERROR(config, Library::open(file(changed(good, 18, 3))), "32-bit x86");
  HONE_CHECK_ERROR(config, Library::open(file(changed(good, 4, 1))), "the 32-bit form of x86-64");
  HONE_CHECK_ERROR(config, Library::open(file(changed(good, 5, 2))), "built for");
  HONE_CHECK_ERROR(config, Library::open(file(changed(good, 16, 1))), "an object file");
  HONE_CHECK_ERROR(config, Library::open(file(changed(good, 16, 2))), "a program");
  HONE_CHECK_ERROR(config, Library::open("/proc/self/exe"), "expected a shared library, got a program");
}

TEST_CASE("library: a file that is cut off anywhere is an error, never a crash") {
  HONE_NEEDS_COMPILERS();
  const test::Scratch scratch;
  const std::string good = test::contents_of(tables(0));
  // Only the section table, which the loader does not read, may be missing: that is what stands behind the last
  // segment.
  std::uint64_t sections = 0;
  std::memcpy(&sections, good.data() + 40, sizeof sections);
  for (std::size_t size = 0; size < sections; size += size < 1024 ? 37 : 1009) {
    CAPTURE(size);
    const auto path = scratch.file(fmt::format("cut{}.so", size), good.substr(0, size));
    const auto caught = test::error_of([&] { check_shared_object(path); });
    const bool loadable = !caught.has_value();
    if (loadable) CHECK(Library::open(path)->reward() != nullptr);
    else CHECK(caught->kind == ErrorKind::config);
  }
}

TEST_CASE(
    "library: names are looked for in the configured folders, HONE_PLUGIN_PATH and the data folder, in this order") {
  const test::Scratch scratch;
  const auto folder = [&](const char* name) {
    std::filesystem::create_directories(scratch.path() / name);
    return scratch.path() / name;
  };
  const std::vector<std::filesystem::path> configured{folder("configured")};
  const Variable path("HONE_PLUGIN_PATH", folder("one").string() + "::" + folder("two").string());
  const Variable data("XDG_DATA_HOME", folder("data").string());
  const auto in_data = folder("data/hone/plugins") / "mine.so";
  CHECK(plugin_folders(configured) ==
        std::vector<std::filesystem::path>{configured[0], folder("one"), folder("two"), in_data.parent_path()});
  const std::string two = folder("two").string(), last = in_data.parent_path().string();
  HONE_CHECK_ERROR(config, find_library("mine", configured), "mine.so", "libmine.so", two, last, "HONE_PLUGIN_PATH");
  scratch.file("data/hone/plugins/mine.so", "x");
  CHECK(find_library("mine", configured) == in_data);
  scratch.file("two/libmine.so", "x");
  CHECK(find_library("mine", configured) == folder("two") / "libmine.so");
  scratch.file("one/mine", "x");
  CHECK(find_library("mine", configured) == folder("one") / "mine");
  scratch.file("configured/mine.so", "x");
  CHECK(find_library("mine", configured) == configured[0] / "mine.so");
  CHECK(find_library("./mine", configured) == "./mine");
  CHECK(find_library("/a/b.so") == "/a/b.so");
  HONE_CHECK_ERROR(config, find_library(""), "expected a name or a path");
}

TEST_CASE("library: without XDG_DATA_HOME the data folder is in the home") {
  const Variable path("HONE_PLUGIN_PATH", "");
  const Variable data("XDG_DATA_HOME", "");
  const Variable home("HOME", "/home/someone");
  CHECK(plugin_folders({}) == std::vector<std::filesystem::path>{"/home/someone/.local/share/hone/plugins"});
}

TEST_CASE("library: the host's table has every function and its own size") {
  const hone_host& host = library_host();
  CHECK(host.size == sizeof(hone_host));
  CHECK(host.abi == HONE_PLUGIN_ABI);
  const auto* functions = reinterpret_cast<void* const*>(&host.log);
  const std::size_t count = (sizeof(hone_host) - offsetof(hone_host, log)) / sizeof(void*);
  for (std::size_t i = 0; i < count; ++i) CHECK(functions[i] != nullptr);
  CHECK(host.random(1, 2) == host.random(1, 2));
  CHECK(host.random(1, 2) != host.random(1, 3));
  CHECK(host.random(1, 2) != host.random(2, 2));
  CHECK(hone_uniform(~0ULL) < 1.0);
  CHECK(HONE_HAS(&host, state));
}
