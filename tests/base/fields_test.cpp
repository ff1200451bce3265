#include "base/fields.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/error.h"

using namespace hone;

namespace {

class Shape : public Component {};
class Circle : public Shape {
 public:
  void describe(Fields&) override {}
};
class Unlisted : public Component {};

}  // namespace

TEST_CASE("base/fields: ranges contain their closed bounds, never NaN") {
  CHECK(at_least(0).contains(0));
  CHECK_FALSE(above(0).contains(0));
  CHECK(between(0, 1).contains(1));
  CHECK_FALSE(Range{.low = 0, .high = 1, .open_high = true}.contains(1));
  CHECK_FALSE(Range{}.contains(std::nan("")));
  CHECK(Range{}.contains(-1e308));
}

TEST_CASE("base/fields: ranges say their bounds") {
  CHECK(at_least(0).text() == "≥ 0");
  CHECK(above(0.5).text() == "> 0.5");
  CHECK(between(0, 1).text() == "in [0, 1]");
  CHECK(Range{.low = 0, .high = 1, .open_low = true}.text() == "in (0, 1]");
  CHECK(Range{.high = 3, .open_high = true}.text() == "< 3");
  CHECK(Range{}.text() == "");
}

TEST_CASE("base/fields: catalogs are found by the base class of their components") {
  Catalogs catalogs;
  catalogs.add<Shape>(
      {"shape", {{"circle", "Round.", []() -> std::unique_ptr<Component> { return std::make_unique<Circle>(); }}}});
  CHECK(catalogs.of<Shape>().find("circle") != nullptr);
  CHECK(catalogs.of<Shape>().find("square") == nullptr);
  try {
    (void)catalogs.of<Unlisted>();
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::internal);
  }
}
