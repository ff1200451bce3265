#include "text/grapheme_breaks.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace hone {
namespace {

std::vector<std::string> clusters(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = grapheme_end(text, at);
    REQUIRE(end > at);
    result.push_back(text.substr(at, end - at));
    at = end;
  }
  return result;
}

using Clusters = std::vector<std::string>;

}  // namespace

TEST_CASE("text: grapheme clusters follow the rules of UAX 29") {
  CHECK(clusters("ab") == Clusters{"a", "b"});
  CHECK(clusters("\r\n\n\r") == Clusters{"\r\n", "\n", "\r"});                              // GB3-5
  CHECK(clusters("a\u0301\u0308b") == Clusters{"a\u0301\u0308", "b"});                      // GB9
  CHECK(clusters("\n\u0301") == Clusters{"\n", "\u0301"});                                  // GB4
  CHECK(clusters("\u1100\u1161\u11A8\u1100") == Clusters{"\u1100\u1161\u11A8", "\u1100"});  // GB6-8
  CHECK(clusters("\uAC00\u11A8\uAC01\u11A8\uAC01\u1161") ==
        Clusters{"\uAC00\u11A8", "\uAC01\u11A8", "\uAC01", "\u1161"});
  CHECK(clusters("\u0915\u0903\u0915") == Clusters{"\u0915\u0903", "\u0915"});              // GB9a
  CHECK(clusters("\u0600\u0661x") == Clusters{"\u0600\u0661", "x"});                        // GB9b
  CHECK(clusters("\u0915\u094D\u0937\u0915") == Clusters{"\u0915\u094D\u0937", "\u0915"});  // GB9c
  CHECK(clusters("\u0915\u094D\u200D\u0937") == Clusters{"\u0915\u094D\u200D\u0937"});
  CHECK(clusters("a\u094D\u0937") == Clusters{"a\u094D", "\u0937"});
  CHECK(clusters("👩\u200D👩\u200D👧👦") == Clusters{"👩\u200D👩\u200D👧", "👦"});  // GB11
  CHECK(clusters("👍🏽👍") == Clusters{"👍🏽", "👍"});
  CHECK(clusters("a\u200D👧") == Clusters{"a\u200D", "👧"});
  CHECK(clusters("🇩🇪🇫🇷🇺") == Clusters{"🇩🇪", "🇫🇷", "🇺"});  // GB12-13
}

TEST_CASE("text: the table of grapheme classes is in order") {
  char32_t last = 0;
  bool first = true;
  for (const GraphemeRange& range : grapheme_ranges()) {
    CHECK(range.first <= range.last);
    CHECK((first || range.first > last));
    CHECK(range.kind != GraphemeClass::other);
    last = range.last;
    first = false;
  }
  CHECK(last <= 0x10FFFF);
}

}  // namespace hone
