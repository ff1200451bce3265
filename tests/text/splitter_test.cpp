#include "text/splitter.h"

#include "support/error_of.h"
#include "text/split_patterns.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

std::vector<std::string_view> pieces_of(std::string_view pattern, std::string_view text) {
  const Splitter splitter(pattern, "test");
  Splitter::Scratch scratch;
  std::vector<std::string_view> pieces;
  splitter.split(text, scratch, pieces);
  return pieces;
}
using Pieces = std::vector<std::string_view>;

}  // namespace

TEST_CASE("text: the published patterns split as published") {
  CHECK(pieces_of(kGpt2Split, "It's 1234  so\n\n") == Pieces{"It", "'s", " 1234", " ", " so", "\n\n"});
  CHECK(pieces_of(kLlama3Split, "It'S 1234  so\n\nx") ==
        Pieces{"It", "'S", " ", "123", "4", " ", " so", "\n\n", "x"});
  CHECK(pieces_of(kQwen2Split, "a 12!\n") == Pieces{"a", " ", "1", "2", "!\n"});
}

TEST_CASE("text: what does not match is a piece of its own") {
  CHECK(pieces_of(R"(\d+)", "ab12cd3") == Pieces{"ab", "12", "cd", "3"});
  CHECK(pieces_of(R"(\d*)", "ab1") == Pieces{"a", "b", "1"});  // an empty match is a border
  CHECK(pieces_of(R"(x)", "") == Pieces{});
}

TEST_CASE("text: white space is that of Unicode") {
  CHECK(pieces_of(R"(\s+)", "a\u0085\u3000b") == Pieces{"a", "\u0085\u3000", "b"});
  CHECK(pieces_of(R"([^\s]+)", "a\u180eb c") == Pieces{"a\u180eb", " ", "c"});  // no white space since Unicode 6.3
  CHECK(pieces_of(R"(\S+)", "a\u00a0b") == Pieces{"a", "\u00a0", "b"});
}

TEST_CASE("text: patterns that the engines read differently are refused by name") {
  for (const char* pattern : {"^a", "a$", "a.", R"(\w+)", R"(\bx)", R"([\S])", "[a[b]]", "[a&&b]", R"(\h)", "a\\"}) {
    INFO(pattern);
    HONE_CHECK_ERROR(data, Splitter(pattern, "file.json"), "file.json", pattern, "not supported");
  }
  HONE_CHECK_ERROR(data, Splitter("(a", "file.json"), "file.json", "does not compile");
}

TEST_CASE("text: a class may open with a bracket and hold escapes") {
  CHECK(pieces_of(R"([]a]+)", "x]ab") == Pieces{"x", "]a", "b"});
  CHECK(pieces_of(R"([^\]]+)", "x]b") == Pieces{"x", "]", "b"});
}

}  // namespace hone
