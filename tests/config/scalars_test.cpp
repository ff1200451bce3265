#include "config/scalars.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

using namespace hone;

TEST_CASE("config/scalars: integers are exact or refused") {
  CHECK(parse_integer("1_000_000") == 1000000);
  CHECK(parse_integer("1e6") == 1000000);
  CHECK(parse_integer("1.5e3") == 1500);
  CHECK(parse_integer("2.0") == 2);
  CHECK(parse_integer("150e-1") == 15);
  CHECK(parse_integer("+7") == 7);
  CHECK(parse_integer("-0") == 0);
  CHECK(parse_integer("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(parse_integer("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  for (const char* bad : {"", "-", "1.5", "1e-1", "9223372036854775808", "1e30", "1e99999999999", "0x10", "1__0", "_1",
                          "1_", "1 ", " 1", "one", ".", "1e", "1e+", "--1", "inf"}) {
    CHECK_MESSAGE(!parse_integer(bad).has_value(), bad);
  }
}

TEST_CASE("config/scalars: numbers are finite decimals") {
  CHECK(parse_number("3e-4") == 3e-4);
  CHECK(parse_number(".5") == 0.5);
  CHECK(parse_number("1_000.25") == 1000.25);
  CHECK(parse_number("-1E+2") == -100.0);
  for (const char* bad : {"", ".", ".nan", ".inf", "nan", "inf", "1e999", "1e", "1,5", "1.2.3", "0x1p3"}) {
    CHECK_MESSAGE(!parse_number(bad).has_value(), bad);
  }
}

TEST_CASE("config/scalars: sizes and times") {
  CHECK(parse_bytes("64MiB")->count == 64LL << 20);
  CHECK(parse_bytes("2GB")->count == 2000000000);
  CHECK(parse_bytes("1.5KiB")->count == 1536);
  CHECK(parse_bytes("4096")->count == 4096);
  CHECK(parse_bytes("3 GiB") == std::nullopt);
  CHECK(parse_bytes("0.3B") == std::nullopt);
  CHECK(parse_bytes("9e18TiB") == std::nullopt);
  CHECK(parse_bytes("MiB") == std::nullopt);
  CHECK(parse_bytes("1mib") == std::nullopt);
  CHECK(parse_seconds("90s")->count == 90.0);
  CHECK(parse_seconds("1.5h")->count == 5400.0);
  CHECK(parse_seconds("30")->count == 30.0);
  CHECK(parse_seconds("250ms")->count == 0.25);
  CHECK(parse_seconds("2d")->count == 172800.0);
  CHECK(parse_seconds("5 minutes") == std::nullopt);
}

TEST_CASE("config/scalars: what is written reads back equal") {
  Random random(3);
  for (int i = 0; i < 20000; ++i) {
    const auto bits = static_cast<std::int64_t>(random.next64() >> random.below(64));
    REQUIRE(parse_integer(text_of(bits)) == bits);
    REQUIRE(parse_bytes(text_of(Bytes{bits}))->count == bits);
    const double number = random.normal() * std::pow(10.0, static_cast<double>(random.below(40)) - 20.0);
    REQUIRE(parse_number(text_of(number)) == number);
    REQUIRE(parse_seconds(text_of(Seconds{number}))->count == number);
    const double whole = static_cast<double>(random.below(1000000)) * 60.0;
    REQUIRE(parse_seconds(text_of(Seconds{whole}))->count == whole);
  }
  CHECK(text_of(Bytes{64 << 20}) == "64MiB");
  CHECK(text_of(Bytes{1000}) == "1000");
  CHECK(text_of(Seconds{300}) == "5m");
  CHECK(text_of(Seconds{0.5}) == "0.5s");
}
