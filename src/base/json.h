#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hone {

/// A JSON value. Objects keep the order of their keys; the last of duplicate keys wins.
/// The parser behind it is compiled in json.cpp alone, so this header stays cheap.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(static_cast<std::int64_t>(value)) {}
  Json(std::int64_t value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  static Json array() { return Json(Array{}); }
  static Json object() { return Json(Object{}); }

  /// Parses one JSON document. `source` (a file, a row) opens the message of the Error{data} thrown on bad input,
  /// which also names the byte. Invalid UTF-8, trailing text and nesting beyond 512 levels are errors.
  static Json parse(std::string_view text, std::string_view source);
  /// The same for formats in which a key that occurs twice in one object is an error.
  static Json parse_unique(std::string_view text, std::string_view source);

  /// Compact when indent < 0. Doubles are written so that they read back equal; NaN and infinities as null.
  std::string dump(int indent = -1) const;

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  std::string_view type_name() const;

  /// Each throws Error{data} naming both types when the value is of another type.
  bool as_bool() const;
  std::int64_t as_integer() const;
  double as_number() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  Array& as_array();
  const Object& as_object() const;
  Object& as_object();

  /// The member of an object, or nullptr (also when this is no object).
  const Json* find(std::string_view key) const;
  /// The member of an object; Error{data} that names the key when it is missing.
  const Json& at(std::string_view key) const;
  /// Sets or replaces a member; a null value becomes an object first.
  void set(std::string key, Json value);
  void push_back(Json value);

  bool operator==(const Json& other) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

}  // namespace hone
