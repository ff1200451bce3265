#pragma once

#include "base/json.h"

#include <initializer_list>
#include <optional>
#include <string>

namespace hone {

/// One object of a tokenizer file, with the words for messages: "tokenizer.json: pre_tokenizer". Every check throws
/// Error{data}.
class JsonField {
 public:
  JsonField(const Json& value, std::string where) : value_(value), where_(std::move(where)) {}

  const Json& value() const { return value_; }
  const std::string& where() const { return where_; }
  bool is_null() const { return value_.is_null(); }
  const Json::Object& object() const;
  const Json::Array& array() const;
  const std::string& string() const;
  std::int64_t integer() const;

  /// A member; a null field when it is absent.
  JsonField operator[](std::string_view key) const;
  JsonField element(std::size_t index) const;
  /// The member as a bool, or `absent`.
  bool flag(std::string_view key, bool absent = false) const;
  /// `type` of the object, "" when it has none.
  std::string type() const;

  /// Refuses keys other than these, and null ones: what they mean is unknown.
  void only(std::initializer_list<std::string_view> keys) const;
  [[noreturn]] void refuse(std::string_view what) const;

 private:
  const Json& value_;
  std::string where_;
};

}  // namespace hone
