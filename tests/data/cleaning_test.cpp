#include "data/cleaning.h"

#include <doctest/doctest.h>

#include <string>

namespace hone {

TEST_CASE("data: tags, comments, scripts and entities are taken out of texts") {
  CHECK(without_html("<p>One &amp; <b>two</b></p>three") == "\nOne & two\nthree");
  CHECK(without_html("a<br/>b<BR >c") == "a\nb\nc");
  CHECK(without_html("x<!-- a > b --><script>if (a < b) { x('</p>'); }</script>y<style>p{}</style>") == "xy");
  CHECK(without_html("<a href=\"x>y\" title='<'>link</a>") == "link");
  CHECK(without_html("&lt;b&gt; &#233; &#xE9; &eacute; &nbsp;&hellip;&rsquo;") == "<b> é é é \u00a0…’");
  CHECK(without_html("1 < 2 and 3 > 2, a<b, <3, &copy &unknown; &#0; &#xD800; R&D") ==
        "1 < 2 and 3 > 2, a<b, <3, &copy &unknown; &#0; &#xD800; R&D");
  CHECK(without_html("open <b and <i>on</i>") == "open <b and on");
  CHECK(without_html("<script>never closed") == "");
  CHECK(without_html("<!-- never closed").empty());
  CHECK(without_html("<") == "<");
}

TEST_CASE("data: white space becomes plain") {
  CHECK(with_plain_white_space("  a\t b\u00a0\u3000c  ") == "a b c");
  CHECK(with_plain_white_space("a\r\nb\rc\n\n\n\nd \n e") == "a\nb\nc\n\nd\ne");
  CHECK(with_plain_white_space(" \n\t ").empty());
}

TEST_CASE("data: cleaning runs its steps in order and only those asked for") {
  const std::string text = "\uFEFF<p>Cafe\u0301\u200B &amp;  \u2460</p>\x01";
  CHECK(clean_text(text, {}) == text);
  CHECK(clean_text(text, {.unicode = UnicodeForm::nfc, .html = true, .control = true, .white_space = true}) ==
        "Caf\u00e9 & \u2460");
  CHECK(clean_text(text, {.unicode = UnicodeForm::nfkc, .html = true, .control = true, .white_space = true}) ==
        "Caf\u00e9 & 1");
  CHECK(clean_text("a\tb\nc\u200Dd", {.control = true}) == "a\tb\nc\u200Dd");
}

}  // namespace hone
