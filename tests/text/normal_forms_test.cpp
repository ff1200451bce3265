#include "text/normal_forms.h"

#include <doctest/doctest.h>

namespace hone {

TEST_CASE("text: form C composes letters and marks") {
  CHECK(to_nfc("e\u0301") == "\u00e9");
  CHECK(to_nfc("A\u030a") == "\u00c5");
  CHECK(to_nfc("\u212b") == "\u00c5");             // Angstrom sign: a singleton
  CHECK(to_nfc("\u0344") == "\u0308\u0301");       // decomposes and stays so
  CHECK(to_nfc("a\u0307\u0323") == "\u1ea1\u0307");  // the mark below comes first, and composes
  CHECK(to_nfc("s\u0323\u0307") == "\u1e69");
  CHECK(to_nfc("\u0958") == "\u0915\u093c");       // excluded from composition
  CHECK(to_nfc("a\u0315\u0300") == "\u00e0\u0315");
  CHECK(to_nfc("\u0b47\u0b3e") == "\u0b4b");       // two starters that compose
  CHECK(to_nfc("\u0301e") == "\u0301e");           // a mark with nothing before it
}

TEST_CASE("text: form C composes Hangul by arithmetic") {
  CHECK(to_nfc("\u1100\u1161\u11a8") == "\uac01");
  CHECK(to_nfc("\uac00\u11a8") == "\uac01");
  CHECK(to_nfc("\uac01\u11a8") == "\uac01\u11a8");
  CHECK(to_nfc("\u1100\u1161\u11a7") == "\uac00\u11a7");  // U+11A7 is no trailing consonant
}

TEST_CASE("text: text in form C stays, and most is recognised at once") {
  CHECK(is_surely_nfc("plain, déjà vu, Łódź"));
  CHECK(!is_surely_nfc("e\u0301"));
  for (const char* text : {"", "plain", "déjà vu", "日本語", "🙂", "각"}) CHECK(to_nfc(text) == text);
}

}  // namespace hone
