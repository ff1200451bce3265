#include "data/normalize.h"

#include <doctest/doctest.h>

#include <set>
#include <vector>

namespace hone {

TEST_CASE("data: normalised text ignores case, whitespace and punctuation") {
  CHECK(normalized_text("It's  here!") == "itshere");
  CHECK(normalized_text("it 's here") == "itshere");
  CHECK(normalized_text("\tWell-known,\r\nreally…") == "wellknownreally");
  CHECK(normalized_text("Übergrößen ŁÓDŹ ŽIŽKA ΑΩ ЖЁ") == "übergrößenłódźžižkaαωжё");
  CHECK(normalized_text("3 + 4 = 7") == "3+4=7");
  CHECK(normalized_text("×÷") == "×÷");
  CHECK(normalized_text("«¿Qué?»\u00A0\u3000“x”") == "quéx");
  CHECK(normalized_text("日本語。 😀") == "日本語😀");
}

TEST_CASE("data: a text without letters stays as it is") {
  CHECK(normalized_text("?!") == "?!");
  CHECK(normalized_text(" ") == " ");
  CHECK(normalized_text("").empty());
  CHECK(text_class("?!", "x", 1 << 20) != text_class("!?", "x", 1 << 20));
}

TEST_CASE("data: the classes of texts never change") {
  CHECK(text_class("Near-identical rows stay together.", "part", 1000) == 582);
  CHECK(text_share("Near-identical rows stay together.", "held out") == doctest::Approx(0.23825).epsilon(1e-4));
}

TEST_CASE("data: classes are even and those of two purposes independent") {
  constexpr int count = 20000;
  int held_out = 0, part = 0, both = 0;
  for (int i = 0; i < count; ++i) {
    const std::string text = "row " + std::to_string(i);
    const bool is_held_out = text_share(text, "held out") < 0.1;
    const bool is_part = text_class(text, "part", 2) == 1;
    held_out += is_held_out, part += is_part, both += is_held_out && is_part;
  }
  CHECK(held_out == doctest::Approx(0.1 * count).epsilon(0.08));
  CHECK(part == doctest::Approx(0.5 * count).epsilon(0.03));
  CHECK(both == doctest::Approx(0.05 * count).epsilon(0.1));
}

}  // namespace hone
