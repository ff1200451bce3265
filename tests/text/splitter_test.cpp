#include "text/splitter.h"

#include "base/random.h"
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
  for (const char* pattern : {"[a[b]]", "[a&&b]", "a\\", "(?m)a", "(?im:a)", "a{2}+", "a{2}?", R"(\pL)", R"([\b])", R"(\Qa)",
                              R"(\G)", R"(\u12)"}) {
    INFO(pattern);
    HONE_CHECK_ERROR(data, Splitter(pattern, "file.json"), "file.json", pattern, "not supported");
  }
  HONE_CHECK_ERROR(data, Splitter("(a", "file.json"), "file.json", "does not compile");
}

TEST_CASE("text: a class may open with a bracket and hold escapes") {
  CHECK(pieces_of(R"([]a]+)", "x]ab") == Pieces{"x", "]a", "b"});
  CHECK(pieces_of(R"([^\]]+)", "x]b") == Pieces{"x", "]", "b"});
}

TEST_CASE("text: patterns mean what they mean to Oniguruma") {
  CHECK(pieces_of(R"(\w+)", "a_1\u0301-b") == Pieces{"a_1\u0301", "-", "b"});
  CHECK(pieces_of(R"([\W]+)", "a  b") == Pieces{"a", "  ", "b"});
  CHECK(pieces_of(R"([^\S]+)", "a \u2028b") == Pieces{"a", " \u2028", "b"});
  CHECK(pieces_of(R"(\bé)", "é aé") == Pieces{"é", " aé"});
  CHECK(pieces_of(R"(\h+)", "xyz09AFg") == Pieces{"xyz", "09AF", "g"});  // hexadecimal digits
  CHECK(pieces_of("a.", "a\na\rab") == Pieces{"a\n", "a\r", "ab"});    // all but a line feed
  CHECK(pieces_of("^b", "b\nbb") == Pieces{"b", "\n", "b", "b"});        // lines
  CHECK(pieces_of("b$", "bb\nb") == Pieces{"b", "b", "\n", "b"});
  CHECK(pieces_of("a{,2}", "aaab") == Pieces{"aa", "a", "b"});
  CHECK(pieces_of("x{", "ax{") == Pieces{"a", "x{"});
  CHECK(pieces_of(R"([\u4e00-\u9fa5]+)", "a中文b") == Pieces{"a", "中文", "b"});
  CHECK(pieces_of(R"(\p{^L}+)", "ab12") == Pieces{"ab", "12"});
}

TEST_CASE("text: letters are those of Unicode 16, whatever PCRE2 knows") {
  CHECK(pieces_of(R"([\p{L}]+)", "1\u1c8a\U000105c02") == Pieces{"1", "\u1c8a\U000105c0", "2"});
  CHECK(pieces_of(R"(\P{L}+)", "1\u1c8a\U000105c02") == Pieces{"1", "\u1c8a\U000105c0", "2"});
  CHECK(pieces_of(kQwen2Split, "1\u1c8a\U000105c02") == Pieces{"1", "\u1c8a\U000105c0", "2"});
}

TEST_CASE("text: the published patterns split alike by their own code and as patterns") {
  Random random(stream_key(5, "splits"));
  const std::vector<std::string> parts = {"a", "B", "é", "1", "23", "\u0663", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "'s", "'",
                                          "'Re", "'LL", "'\u017f", "!", "...", "🙂", "\u0301", "日本", "\u1c8a", "_"};
  for (const std::string_view pattern : {kGpt2Split, kLlama3Split, kQwen2Split}) {
    const std::string same = "(?:" + std::string(pattern) + ")";
    const Splitter by_code(pattern, "test"), by_pattern(same, "test");
    for (int round = 0; round < 2000; ++round) {
      std::string text;
      for (std::uint64_t i = random.below(12); i > 0; --i) text += parts[random.below(parts.size())];
      Splitter::Scratch scratch;
      Pieces one, other;
      by_code.split(text, scratch, one);
      by_pattern.split(text, scratch, other);
      INFO(text);
      CHECK(one == other);
    }
  }
}

}  // namespace hone
