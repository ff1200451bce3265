#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

#include <doctest/doctest.h>

namespace hone::test {

inline std::vector<float> floats_of(const Json& list) {
  std::vector<float> values;
  for (const Json& value : list.as_array()) values.push_back(static_cast<float>(value.as_number()));
  return values;
}

inline std::vector<std::int32_t> ids_of(const Json& list) {
  std::vector<std::int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

inline std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& text : list.as_array()) texts.push_back(text.as_string());
  return texts;
}

/// The same structure and texts; doubles equal within 1e-6 of their size.
inline void check_json_near(const Json& found, const Json& expected) {
  INFO("found ", found.dump(), ", expected ", expected.dump());
  if (expected.is_array()) {
    REQUIRE(found.is_array());
    REQUIRE(found.as_array().size() == expected.as_array().size());
    for (std::size_t i = 0; i < found.as_array().size(); ++i)
      check_json_near(found.as_array()[i], expected.as_array()[i]);
  } else if (expected.is_object()) {
    REQUIRE(found.is_object());
    CHECK(found.as_object().size() == expected.as_object().size());
    for (const auto& [key, value] : expected.as_object()) check_json_near(found.at(key), value);
  } else if (expected.is_number() && !expected.is_integer()) {
    CHECK(found.as_number() == doctest::Approx(expected.as_number()).epsilon(1e-6));
  } else if (expected.is_integer() && found.is_number()) {
    CHECK(found.as_number() == doctest::Approx(expected.as_number()).epsilon(1e-6));
  } else {
    CHECK(found == expected);
  }
}

}  // namespace hone::test
