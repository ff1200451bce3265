#include "base/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "base/error.h"

using hone::Error;
using hone::ErrorKind;
using hone::Json;

namespace {

std::string message_of(std::string_view text) {
  try {
    (void)Json::parse(text, "rows.jsonl:7");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    return error.what();
  }
  return "no error";
}

bool mentions(const std::string& message, std::string_view part) { return message.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("base/json: what is written reads back equal, in the order of the keys") {
  const std::string text =
      R"({"z":null,"a":[true,false,-7,9223372036854775807,0.1,1e-300,1.0],"text":"é\u0001\"\\\n𝄞","empty":{},"none":[]})";
  const Json value = Json::parse(text, "test");
  CHECK(value.as_object()[0].first == "z");
  CHECK(value.as_object()[1].first == "a");
  CHECK(value.at("text").as_string() == "é\x01\"\\\n𝄞");
  CHECK(value.at("a").as_array()[3].as_integer() == std::numeric_limits<std::int64_t>::max());
  for (const int indent : {-1, 0, 2}) CHECK(Json::parse(value.dump(indent), "again") == value);
  CHECK(value.at("a").dump() == "[true,false,-7,9223372036854775807,0.1,1e-300,1.0]");
  CHECK(Json::parse("[1,{\"a\":2}]", "test").dump(2) == "[\n  1,\n  {\n    \"a\": 2\n  }\n]");
}

TEST_CASE("base/json: doubles keep every bit and their type; NaN and infinities become null") {
  for (const double value : {0.1, 1.0 / 3.0, -0.0, 5e-324, 1.7976931348623157e308, 1e20, 123456789.0}) {
    const Json again = Json::parse(Json(value).dump(), "test");
    CHECK_FALSE(again.is_integer());
    CHECK(again.as_number() == value);
    CHECK(std::signbit(again.as_number()) == std::signbit(value));
  }
  CHECK(Json(std::nan("")).dump() == "null");
  CHECK(Json(std::numeric_limits<double>::infinity()).dump() == "null");
  CHECK(Json::parse("18446744073709551615", "test").as_number() == doctest::Approx(1.8446744073709552e19));
}

TEST_CASE("base/json: the last of duplicate keys wins in the place of the first") {
  CHECK(Json::parse(R"({"a":1,"b":2,"a":3,"a":4})", "test").dump() == R"({"a":4,"b":2})");
  std::string large = "{";
  for (int i = 0; i < 50000; ++i) large += fmt::format("\"key{}\":{},", i, i);
  const Json value = Json::parse(large + "\"key0\":-1}", "test");
  CHECK(value.as_object().size() == 50000);
  CHECK(value.as_object()[0].second.as_integer() == -1);
}

TEST_CASE("base/json: formats that forbid duplicate keys can say so") {
  CHECK(Json::parse_unique(R"({"a":{"b":1},"b":2})", "row").at("b").as_integer() == 2);
  CHECK_THROWS_WITH_AS(Json::parse_unique(R"({"a":{"b":1,"c":0,"b":1}})", "row"),
                       "row: the key \"b\" occurs twice in one JSON object", Error);
}

TEST_CASE("base/json: bad input names the source and the byte") {
  CHECK(mentions(message_of("{\"a\": tru}"), "rows.jsonl:7: not valid JSON at byte 10: "));
  CHECK(mentions(message_of(""), "not valid JSON at byte 1: "));
  CHECK(mentions(message_of("[1, 2"), "at byte 6"));
  CHECK(mentions(message_of("{} x"), "at byte 4"));
  CHECK(mentions(message_of("\"\xff\""), "at byte 2"));
  CHECK(mentions(message_of("NaN"), "at byte"));
  CHECK(mentions(message_of("[1e999]"), "at byte"));
  CHECK(mentions(message_of(std::string("\"a\0b\"", 5)), "at byte 3"));
}

TEST_CASE("base/json: nesting is limited to 512 levels") {
  const std::string deep_open(512, '['), deep_close(512, ']');
  CHECK_NOTHROW(Json::parse(deep_open + deep_close, "test"));
  CHECK(mentions(message_of("[" + deep_open + deep_close + "]"), "nested deeper than 512 levels"));
  CHECK(mentions(message_of(std::string(200000, '[')), "nested deeper than 512 levels"));
}

TEST_CASE("base/json: values of another type are named") {
  const Json value = Json::parse(R"({"a": "x"})", "test");
  CHECK_THROWS_WITH_AS(value.at("a").as_integer(), "JSON value: expected integer, got string", Error);
  CHECK_THROWS_WITH_AS(value.at("b"), "JSON object: key \"b\" is missing", Error);
  CHECK_THROWS_WITH_AS(value.as_array(), "JSON value: expected array, got object", Error);
  CHECK_THROWS_WITH_AS(Json(1.5).as_integer(), "JSON value: expected integer, got number", Error);
  CHECK(Json(3).as_number() == 3.0);
  CHECK(value.find("b") == nullptr);
  CHECK(Json(1).find("b") == nullptr);
}

TEST_CASE("base/json: set and push_back turn null into an object or a list") {
  Json object;
  object.set("a", 1);
  object.set("b", Json::array());
  object.set("a", "again");
  CHECK(object.dump() == R"({"a":"again","b":[]})");
  Json list;
  list.push_back(1.5);
  CHECK(list.dump() == "[1.5]");
  CHECK(Json("broken \xff byte").dump() == "\"broken \uFFFD byte\"");
}
