#pragma once

#include <string>

#include "base/json.h"
#include "text/jinja/value.h"

namespace hone::jinja {

/// Python's str() of a value. Texts keep their marks; everything else is data as a whole when a part of it is. Fails for
/// what would show an address in memory: iterators, methods, functions.
const Str* to_str(Runtime& runtime, Value value);
/// Appends str() of `value` to a text.
void append_str(Runtime& runtime, TextBuilder& out, Value value);
/// Python's repr().
std::string repr(Runtime& runtime, Value value);
/// Python's repr() of a float.
std::string repr_real(double value);

struct JsonStyle {
  bool ascii = false;
  bool indented = false;
  std::string indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
};
/// Python's json.dumps().
std::string dump_json(Runtime& runtime, Value value, const JsonStyle& style);

/// A value that refers to the texts of `json`, which outlives the rendering. `flags` mark all of them.
Value from_json(Runtime& runtime, const Json& json, std::uint8_t flags);

}  // namespace hone::jinja
