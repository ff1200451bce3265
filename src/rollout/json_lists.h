#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "base/json.h"

namespace hone {

/// Numbers as a JSON list; list_from reads back the very bits.
template <class Value>
Json list_json(const std::vector<Value>& values) {
  using Number = std::conditional_t<std::is_floating_point_v<Value>, double, std::int64_t>;
  Json::Array array;
  array.reserve(values.size());
  for (const Value value : values) array.emplace_back(static_cast<Number>(value));
  return Json(std::move(array));
}

template <class Value>
std::vector<Value> list_from(const Json& json) {
  std::vector<Value> values;
  values.reserve(json.as_array().size());
  for (const Json& item : json.as_array()) {
    if constexpr (std::is_floating_point_v<Value>) {
      values.push_back(static_cast<Value>(item.as_number()));
    } else {
      values.push_back(static_cast<Value>(item.as_integer()));
    }
  }
  return values;
}

}  // namespace hone
