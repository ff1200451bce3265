#include "text/precompiled_map.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "text/base64.h"
#include "text/sentencepiece/model.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

std::string charsmap_of(std::string_view name) {
  const Json golden = test::committed_golden("sentencepiece.json");
  for (const Json& small : golden.at("small").as_array()) {
    if (small.at("name").as_string() == name) {
      return parse_sentencepiece(*from_base64(small.at("model").as_string()), "golden").charsmap;
    }
  }
  throw std::runtime_error("no such model");
}

std::string normalized(const PrecompiledNormalizer& normalizer, std::string_view text) {
  AlignedText aligned(text, true);
  normalizer.normalize(aligned);
  return aligned.text();
}

std::string units(std::initializer_list<std::uint32_t> values) {
  std::string bytes;
  for (const std::uint32_t value : values) bytes.append(reinterpret_cast<const char*>(&value), 4);
  return bytes;
}

}  // namespace

TEST_CASE("text: a precompiled map rewrites as the tokenizers library does") {
  const Json golden = test::committed_golden("sentencepiece.json");
  const PrecompiledNormalizer normalizer(charsmap_of("unigram_rules"), "golden");
  for (const Json& test : golden.at("unigram").as_array()[0].at("cases").as_array()) {
    const std::string& text = test.at("text").as_string();
    INFO(test.at("text").dump());
    CHECK(normalized(normalizer, text) == test.at("normalized").as_string());
    if (normalizer.is_surely_normal(text)) CHECK(test.at("normalized").as_string() == text);
  }
}

TEST_CASE("text: what a precompiled map rewrites knows where it came from") {
  const PrecompiledNormalizer normalizer(charsmap_of("unigram_rules"), "golden");
  AlignedText text("x©\uFB01z", true);
  normalizer.normalize(text);
  REQUIRE(text.text() == "x(c)fiz");
  CHECK(text.origin(0, 1) == TextRange{0, 1});
  CHECK(text.origin(1, 4) == TextRange{1, 3});
  CHECK(text.origin(4, 6) == TextRange{3, 6});
  CHECK(text.origin(6, 7) == TextRange{6, 7});
}

TEST_CASE("text: a precompiled map finds the longest and the shortest string") {
  const PrecompiledMap map(charsmap_of("unigram_rules"), "golden");
  REQUIRE(map.longest("\r\nx"));
  CHECK(map.longest("\r\nx")->length == 2);
  CHECK(map.longest("\r\nx")->replacement == " ");
  CHECK(!map.longest("\rx"));
  CHECK(map.shortest("ab\u0300")->length == 4);
  CHECK(map.shortest("\u200Bx")->replacement.empty());
  CHECK(!map.longest(""));
  CHECK(map.changes('\t'));
  CHECK(!map.changes('a'));
  CHECK(map.may_change('a', 'b'));
  CHECK(!map.may_change('a', 'c'));
}

TEST_CASE("text: a damaged precompiled map is refused or leads nowhere") {
  const auto map = [](const std::string& bytes) { return PrecompiledMap(bytes, "t.json"); };
  HONE_CHECK_ERROR(data, map(""), "t.json", "0 bytes");
  HONE_CHECK_ERROR(data, map(units({0})), "trie of 0 bytes");
  HONE_CHECK_ERROR(data, map(units({6, 0, 0})), "trie of 6 bytes");
  HONE_CHECK_ERROR(data, map(units({0xFFFFFFFC, 0})), "4 follow");
  HONE_CHECK_ERROR(data, map(units({4, 0}) + "\xFF"), "not valid UTF-8");
  HONE_CHECK_ERROR(data, map(units({4, 0xFFFFFDFF & ~0x80000000u})), "leads to unit");
  HONE_CHECK_ERROR(data, map(units({8, 0x100 | 1 << 10, 0x80000005}) + "abc"), "byte 5 of 3");
  CHECK(!PrecompiledMap(units({4, 0x7FFFFE00}), "t.json").longest("abc"));  // children outside of the trie
  const std::string good = charsmap_of("unigram_rules");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1 << (i % 8));
    try {
      const PrecompiledNormalizer normalizer(bad, "t.json");
      normalized(normalizer, "a\tb\r\n e\u0301 \uFB01 ab\u0300 \u200B日本語 \uAC00\u0300");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::data);
    }
  }
}

}  // namespace hone
