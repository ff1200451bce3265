#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "support/scratch.h"

namespace hone::test {

/// Whether there is a C and a C++ compiler for the plug-ins of the tests.
inline bool have_compilers() {
  return std::system("gcc --version >/dev/null 2>&1 && g++ --version >/dev/null 2>&1") == 0;
}

/// The shared library made of tests/plugin/plugins/`source`, once for each combination with `flags`.
inline std::filesystem::path compiled_plugin(const std::string& source, const std::string& flags = "") {
  static const Scratch scratch;
  static std::map<std::string, std::filesystem::path> made;
  std::filesystem::path& library = made[source + " " + flags];
  if (!library.empty()) return library;
  const std::filesystem::path here = std::filesystem::path(__FILE__).parent_path();
  const std::filesystem::path headers = here.parent_path().parent_path() / "src" / "plugin" / "sdk";
  const std::filesystem::path log = scratch.path() / "compiler.log";
  const std::filesystem::path file = scratch.path() / fmt::format("plugin{}.so", made.size());
  const std::string compiler = source.ends_with(".c") ? "gcc -std=c99" : "g++ -std=c++17 -fvisibility=hidden";
  const std::string command =
      fmt::format("{} -shared -fPIC -I'{}' {} '{}' -o '{}' >'{}' 2>&1", compiler, headers.string(), flags,
                  (here / "plugins" / source).string(), file.string(), log.string());
  if (std::system(command.c_str()) != 0) fail(ErrorKind::internal, "{}\n{}", command, contents_of(log));
  return library = file;
}

}  // namespace hone::test

/// Ends the test case where there is no compiler; tools/test counts the printed line as a skipped case.
#define HONE_NEEDS_COMPILERS()                   \
  if (!::hone::test::have_compilers()) {         \
    MESSAGE("skipped: there is no gcc and g++"); \
    return;                                      \
  }
