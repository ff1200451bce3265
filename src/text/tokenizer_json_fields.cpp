#include "text/tokenizer_json_fields.h"

#include "base/error.h"

#include <algorithm>

namespace hone {
namespace {

const Json kNull;

[[noreturn]] void fail_type(const JsonField& field, std::string_view expected) {
  fail(ErrorKind::data, "{}: expected {}, found {}", field.where(), expected, field.value().type_name());
}

}  // namespace

const Json::Object& JsonField::object() const {
  if (!value_.is_object()) fail_type(*this, "an object");
  return value_.as_object();
}
const Json::Array& JsonField::array() const {
  if (!value_.is_array()) fail_type(*this, "an array");
  return value_.as_array();
}
const std::string& JsonField::string() const {
  if (!value_.is_string()) fail_type(*this, "a string");
  return value_.as_string();
}
std::int64_t JsonField::integer() const {
  if (!value_.is_integer()) fail_type(*this, "an integer");
  return value_.as_integer();
}

JsonField JsonField::operator[](std::string_view key) const {
  if (!value_.is_null()) object();
  const Json* member = value_.find(key);
  return {member == nullptr ? kNull : *member, fmt::format("{}: {}", where_, key)};
}

JsonField JsonField::element(std::size_t index) const {
  return {array()[index], fmt::format("{}[{}]", where_, index)};
}

bool JsonField::flag(std::string_view key, bool absent) const {
  const JsonField member = (*this)[key];
  if (member.is_null()) return absent;
  if (!member.value().is_bool()) fail_type(member, "true or false");
  return member.value().as_bool();
}

std::string JsonField::type() const {
  const JsonField member = (*this)["type"];
  return member.is_null() ? "" : member.string();
}

void JsonField::only(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, member] : object()) {
    if (!member.is_null() && std::find(keys.begin(), keys.end(), key) == keys.end()) {
      (*this)[key].refuse(member.dump().substr(0, 80));
    }
  }
}

void JsonField::refuse(std::string_view what) const {
  fail(ErrorKind::data, "{}: {} is not supported", where_, what);
}

}  // namespace hone
