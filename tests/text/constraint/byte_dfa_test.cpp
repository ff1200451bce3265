#include "text/constraint/byte_dfa.h"

#include <memory>

#include "base/random.h"
#include "base/utf8.h"
#include "support/error_of.h"
#include "text/code_points.h"
#include "text/constraint/regex_parser.h"

#include <doctest/doctest.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace hone {
namespace {

ByteDfa compiled(std::string_view pattern) { return build_dfa(build_nfa(parse_regex(pattern))); }

bool matches(const ByteDfa& dfa, std::string_view text) {
  const std::int32_t state = dfa.run(dfa.start, text);
  return state != ByteDfa::kDead && dfa.accepts[static_cast<std::size_t>(state)] != 0;
}

PCRE2_SPTR units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

/// The same question put to PCRE2.
class Oracle {
 public:
  explicit Oracle(std::string_view pattern) {
    const std::string whole = "\\A(?:" + std::string(pattern) + ")\\z";
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(
        pcre2_compile(units(whole), whole.size(), PCRE2_UTF | PCRE2_NO_START_OPTIMIZE, &error, &offset, nullptr));
    REQUIRE_MESSAGE(code_ != nullptr, whole);
    data_.reset(pcre2_match_data_create(1, nullptr));
  }
  bool matches(std::string_view text) const { return run(text, 0) >= 0; }
  /// Whether more text may follow, or none.
  bool begins_a_match(std::string_view text) const {
    const int found = run(text, PCRE2_PARTIAL_HARD);
    return text.empty() || found >= 0 || found == PCRE2_ERROR_PARTIAL;
  }

 private:
  int run(std::string_view text, std::uint32_t options) const {
    return pcre2_match(code_.get(), units(text), text.size(), 0, options, data_.get(), nullptr);
  }
  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_data, Free> data_;
};

std::string random_pattern(Random& random, int depth) {
  static const std::vector<std::string> atoms{
      "a",   "b",         "c",   "é",      "世",           ".",          "[ab]", "[^a]", "[b-é]", "\\w",
      "\\d", "[^\\d\\s]", "\\S", "\\p{L}", "[\\p{Lu}0-9]", "\\x{1F600}", "\\.",  "[]a]", "[a-]",  "{"};
  static const std::vector<std::string> counts{"*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "{0}", "{2,3}?"};
  std::string pattern;
  const std::uint64_t parts = 1 + random.below(3);
  for (std::uint64_t i = 0; i < parts; ++i) {
    std::string part = atoms[random.below(atoms.size())];
    if (depth > 0 && random.below(2) == 0) part = "(?:" + random_pattern(random, depth - 1) + ")";
    if (random.below(3) == 0) part += counts[random.below(counts.size())];
    pattern += part;
    if (random.below(6) == 0) pattern += "|";
  }
  return pattern;
}

std::string random_text(Random& random) {
  static const std::vector<std::string> pieces{"a", "b",  "c", "é", "世", "😀", "0", "A",
                                               " ", "\n", "_", "{", "]",  "-", ".", "É"};
  std::string text;
  for (std::uint64_t length = random.below(7); length > 0; --length) text += pieces[random.below(pieces.size())];
  return text;
}

}  // namespace

TEST_CASE("text: random patterns match what PCRE2 matches, and die where no match begins so") {
  Random random(stream_key(5, "patterns"));
  int matched = 0, begun = 0, total = 0;
  for (int round = 0; round < 150; ++round) {
    const std::string pattern = random_pattern(random, 2);
    INFO(pattern);
    const ByteDfa dfa = compiled(pattern);
    const Oracle oracle(pattern);
    for (int i = 0; i < 100; ++i, ++total) {
      const std::string text = random_text(random);
      INFO(text);
      const bool expected = oracle.matches(text);
      REQUIRE(matches(dfa, text) == expected);
      const bool begins = oracle.begins_a_match(text);
      REQUIRE((dfa.run(dfa.start, text) != ByteDfa::kDead) == begins);
      matched += expected;
      begun += begins;
    }
  }
  MESSAGE("of ", total, " texts ", matched, " matched and ", begun, " began a match");
  CHECK(matched > total / 20);
}

TEST_CASE("text: a class takes exactly its code points, spelled as valid UTF-8") {
  for (const std::string_view pattern : {".", "\\p{L}", "[^\\p{L}]", "\\P{Lu}", "[\\x{80}-\\x{10FFFF}]", "[^a]",
                                         "\\p{Greek}", "[\\x{7F}-\\x{81}\\x{7FE}-\\x{802}\\x{FFFE}-\\x{10002}]"}) {
    INFO(pattern);
    const ByteDfa dfa = compiled(pattern);
    const Oracle oracle(pattern);
    int wrong = 0;
    for (char32_t point = 0; point <= 0x10FFFF; point += point < 0x3000 || point > 0x10FF00 ? 1 : 7) {
      if (point >= 0xD800 && point <= 0xDFFF) continue;
      std::string text;
      append_utf8(text, point);
      wrong += matches(dfa, text) != oracle.matches(text);
    }
    CHECK(wrong == 0);
    for (const std::string_view broken :
         {"\x80", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "\xE4\xB8"}) {
      CHECK_FALSE(matches(dfa, broken));
    }
  }
}

TEST_CASE("text: random bytes live in .* exactly as long as they begin valid UTF-8") {
  const ByteDfa dfa = compiled("[\\s\\S]*");
  Random random(stream_key(6, "bytes"));
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t length = random.below(5); length > 0; --length) {
      static constexpr std::uint8_t lead[] = {0x41, 0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0x9F, 0xA0, 0x8F};
      text += static_cast<char>(random.below(2) == 0 ? lead[random.below(12)] : random.below(256));
    }
    REQUIRE(matches(dfa, text) == (first_invalid_utf8(text) == std::string::npos));
  }
}

TEST_CASE("text: any string of pattern characters is either compiled or refused with an error") {
  static const std::string pieces = "ab()[]{}|*+?.^$\\-:,0129<>=!PpdwsxuL\xC3\xA9\xFF";
  Random random(stream_key(7, "garbage"));
  int compiled_patterns = 0, refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern;
    for (std::uint64_t length = random.below(14); length > 0; --length) pattern += pieces[random.below(pieces.size())];
    try {
      const ByteDfa dfa = compiled(pattern);
      REQUIRE(dfa.states() > 0);
      ++compiled_patterns;
    } catch (const Error& error) {
      INFO(pattern, ": ", error.what());
      REQUIRE(error.kind() == ErrorKind::config);
      ++refused;
    }
  }
  MESSAGE(compiled_patterns, " compiled, ", refused, " refused");
  CHECK(compiled_patterns > 1000);
  CHECK(refused > 1000);
}

TEST_CASE("text: nested optional repetitions stay small") {
  const ByteDfa dfa = compiled("(a?){50}a{50}");
  CHECK(dfa.states() <= 101);
  CHECK_FALSE(matches(dfa, std::string(49, 'a')));
  CHECK(matches(dfa, std::string(50, 'a')));
  CHECK(matches(dfa, std::string(100, 'a')));
  CHECK_FALSE(matches(dfa, std::string(101, 'a')));
  CHECK(matches(compiled("((a*)*)*|(b|b|b)*"), "bbb"));
  CHECK(matches(compiled("(|a)*(){1000}"), "aaa"));
}

TEST_CASE("text: patterns that are too large or match nothing are refused") {
  HONE_CHECK_ERROR(config, compiled("(a|b)*a(a|b){30}"), "too large an automaton", "65536");
  HONE_CHECK_ERROR(config, compiled("((a{1000}){1000}){1000}"), "too large", "lower the");
  HONE_CHECK_ERROR(config, compiled("((((){9999}){9999}){9999}){9999}"), "too large");
  HONE_CHECK_ERROR(config, compiled("[^\\s\\S]"), "matches no text");
  HONE_CHECK_ERROR(config, compiled("a([^\\d\\D])+"), "matches no text");
  CHECK(matches(compiled("a([^\\d\\D])*"), "a"));
  CHECK(matches(compiled(""), ""));
}

}  // namespace hone
