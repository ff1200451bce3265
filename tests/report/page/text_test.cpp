#include "report/page/text.h"

#include <doctest/doctest.h>

#include <limits>

namespace hone::page {

TEST_CASE("report: markup in a text is shown, not obeyed") {
  CHECK(escaped("</script><b a=\"x\" c='y'>&amp;") ==
        "&lt;/script&gt;&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;");
  CHECK(escaped("plain 37+58=\n\tlines stay") == "plain 37+58=\n\tlines stay");
}

TEST_CASE("report: what could disturb a page becomes visible") {
  CHECK(escaped(std::string_view("\0\x01\x1b[31m\r\x7f", 9)) == "\u2400\u2401\u241b[31m\u240d\u2421");
  CHECK(escaped("a\u202Eb\u2066c\u200Fd\u0085e\u2028f") == "a[U+202E]b[U+2066]c[U+200F]d[U+0085]e[U+2028]f");
  CHECK(escaped("a\xff\xc3") == "a\uFFFD\uFFFD");
  const std::string family = "\U0001F469\u200D\U0001F467 مرحبا e\u0301";
  CHECK(escaped(family) == family);  // emoji joined by U+200D, right-to-left letters and accents are text
}

TEST_CASE("report: a long text is cut between characters and says how much is left out") {
  CHECK(escaped_part("abc", 3) == "abc");
  CHECK(escaped_part("äöü<ß", 4) == "äöü… <span class=\"dim\">1 more characters</span>");
}

TEST_CASE("report: figures are short and never nan") {
  CHECK(figure(0.967) == "0.967");
  CHECK(figure(35497.4) == "35,497");
  CHECK(figure(-1234) == "-1,234");
  CHECK(figure(3e-5) == "3e-05");
  CHECK(figure(1e15) == "1e+15");
  CHECK(figure(std::numeric_limits<double>::quiet_NaN()) == "–");
  CHECK(figure(-std::numeric_limits<double>::infinity()) == "–");
}

TEST_CASE("report: anchors hold nothing but letters, digits and hyphens") {
  CHECK(anchor("ppo", 2) == "s2-ppo");
  CHECK(anchor("a\"><ü", 0) == "s0-a-----");
  CHECK(escaped_name("rewards/a_b<") == "rewards/<wbr>a_<wbr>b&lt;");
}

}  // namespace hone::page
