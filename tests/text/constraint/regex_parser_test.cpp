#include "text/constraint/regex_parser.h"

#include "support/error_of.h"

#include <doctest/doctest.h>

#include <string>

namespace hone {
namespace {

using Kind = RegexNode::Kind;

void refused(const std::string& pattern, std::string_view what, std::string_view where) {
  INFO(pattern);
  HONE_CHECK_ERROR(config, parse_regex(pattern), what, where, pattern);
}

}  // namespace

TEST_CASE("text: what is not regular is refused by its name and place") {
  refused("a(?=b)", "a lookahead", "byte 2");
  refused("a(?!b)", "a negative lookahead", "byte 2");
  refused("(?<=a)b", "a lookbehind", "byte 1");
  refused("(?<!a)b", "a negative lookbehind", "byte 1");
  refused("(a)\\1", "a backreference", "byte 4");
  refused("(?P<n>a)(?P=n)", "a backreference", "byte 9");
  refused("(?<n>a)\\k<n>", "a backreference", "byte 8");
  refused("\\bword", "a word boundary", "byte 1");
  refused("\\Aa", "the anchor \\A", "byte 1");
  refused("(^a)", "the anchor ^ inside", "byte 2");
  refused("a$b", "the anchor $ inside", "byte 2");
  refused("(?>a)", "an atomic group", "byte 1");
  refused("(?i)a", "flags", "byte 1");
  refused("(?(1)a|b)", "a conditional group", "byte 1");
  refused("(?R)", "a recursion", "byte 1");
  refused("(?#x)", "a comment", "byte 1");
  refused("(*FAIL)", "a verb", "byte 1");
  refused("a++", "a possessive quantifier", "byte 1");
  refused("[[:alpha:]]", "a POSIX class", "byte 2");
  refused("\\R", "the escape \\R", "byte 1");
}

TEST_CASE("text: broken patterns are told apart") {
  refused("(a", "a ( that is never closed", "byte 1");
  refused("a)", "a ) that closes no group", "byte 2");
  refused("[a", "a [ that is never closed", "byte 1");
  refused("*a", "nothing before it to repeat", "byte 1");
  refused("a|{2}", "nothing before it to repeat", "byte 3");
  refused("a**", "a quantifier behind a quantifier", "byte 3");
  refused("a{2}{3}", "a quantifier behind a quantifier", "byte 5");
  refused("a{3,2}", "least count is greater", "byte 2");
  refused("a{,3}", "write {0,n}", "byte 2");
  refused("a{10001}", "beyond 10000", "byte 2");
  refused("a{99999999999999999999}", "beyond 10000", "byte 2");
  refused("[b-a]", "end comes before its beginning", "byte 3");
  refused("[\\d-z]", "a range that begins or ends with a class", "byte 4");
  refused("a\\", "a backslash with nothing behind it", "byte 2");
  refused("\\x4", "a broken escape", "byte 1");
  refused("\\x{110000}", "no Unicode character", "byte 1");
  refused("\\uD800", "no Unicode character", "byte 1");
  refused("(?<>a)", "name is empty", "byte 1");
  refused("\\p{L", "a property that does not end", "byte 1");
  HONE_CHECK_ERROR(config, parse_regex("\\p{Nope}"), "\\p{Nope}", "no Unicode property");
  HONE_CHECK_ERROR(config, parse_regex("\\p{L}}(?=\\p{"), "lookahead");
  HONE_CHECK_ERROR(config, parse_regex("a\xFF"), "not valid UTF-8", "byte 2");
  HONE_CHECK_ERROR(config, parse_regex(std::string(300, '(') + std::string(300, ')')), "nested deeper than 200");
}

TEST_CASE("text: what stands for itself, and anchors that are implied") {
  CHECK(parse_regex("{").children[0].set == CodePointSet({{'{', '{'}}));
  CHECK(parse_regex("a{x}").children.size() == 4);
  CHECK(parse_regex("^ab$").children.size() == 2);
  CHECK(parse_regex("^a$|^b$").children.size() == 2);
  CHECK(parse_regex("[]^-]").children[0].set == CodePointSet({{']', '^'}, {'-', '-'}}));
  CHECK(parse_regex("[\\d\\-x]").children[0].set == CodePointSet({{'0', '9'}, {'-', '-'}, {'x', 'x'}}));
  CHECK(parse_regex("\\x{1F600}\\u00e9\\x41\\0").children[0].set == CodePointSet({{0x1F600, 0x1F600}}));
  const RegexNode lazy = parse_regex("a{2,}?").children[0];
  CHECK(lazy.kind == Kind::repeat);
  CHECK(lazy.least == 2);
  CHECK(lazy.most == RegexNode::kUnbounded);
}

}  // namespace hone
