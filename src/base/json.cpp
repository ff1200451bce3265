#include "base/json.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/utf8.h"

namespace hone {

namespace {

constexpr std::size_t max_depth = 512;

/// The last of duplicate keys wins; it keeps the place of the first. Hashed, because vocabularies are large objects.
void keep_last_of_duplicates(Json::Object& object) {
  std::unordered_map<std::string_view, std::size_t> first;
  first.reserve(object.size());
  std::vector<bool> dropped(object.size(), false);
  bool any = false;
  for (std::size_t i = 0; i < object.size(); ++i) {
    const auto [place, added] = first.try_emplace(object[i].first, i);
    if (added) continue;
    object[place->second].second = std::move(object[i].second);
    dropped[i] = any = true;
  }
  if (!any) return;
  Json::Object kept;
  kept.reserve(first.size());
  for (std::size_t i = 0; i < object.size(); ++i) {
    if (!dropped[i]) kept.push_back(std::move(object[i]));
  }
  object = std::move(kept);
}

void refuse_duplicates(const Json::Object& object, std::string_view source) {
  std::unordered_set<std::string_view> seen;
  seen.reserve(object.size());
  for (const Json::Member& member : object) {
    if (!seen.insert(member.first).second) {
      fail(ErrorKind::data, "{}: the key \"{}\" occurs twice in one JSON object", source, member.first);
    }
  }
}

enum class Duplicates { last_wins, refuse };

/// Builds the tree from nlohmann's events; its parser is iterative, so nesting costs no stack.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view source, Duplicates duplicates) : source_(source), duplicates_(duplicates) {}

  Json take() { return std::move(root_); }

  bool null() override { return put(Json()); }
  bool boolean(bool value) override { return put(Json(value)); }
  bool number_integer(number_integer_t value) override { return put(Json(static_cast<std::int64_t>(value))); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return put(Json(static_cast<double>(value)));
    }
    return put(Json(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return put(Json(value)); }
  bool string(string_t& value) override { return put(Json(std::move(value))); }
  bool binary(binary_t&) override { return false; }  // never sent for text
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool key(string_t& value) override {
    open_.back().key = std::move(value);
    return true;
  }
  bool end_object() override {
    Json::Object& object = open_.back().value.as_object();
    duplicates_ == Duplicates::refuse ? refuse_duplicates(object, source_) : keep_last_of_duplicates(object);
    return close();
  }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    std::string_view why = error.what();
    if (const auto end = why.find("] "); end != why.npos) why.remove_prefix(end + 2);
    if (why.starts_with("parse error at ")) {
      if (const auto end = why.find(": "); end != why.npos) why.remove_prefix(end + 2);
    }
    fail(ErrorKind::data, "{}: not valid JSON at byte {}: {}", source_, position, valid_utf8(why));
  }

 private:
  struct Frame {
    Json value;
    std::string key;
  };

  bool put(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Json& parent = open_.back().value; parent.is_array()) {
      parent.as_array().push_back(std::move(value));
    } else {
      parent.as_object().emplace_back(std::move(open_.back().key), std::move(value));
    }
    return true;
  }

  bool open(Json value) {
    if (open_.size() >= max_depth) {
      fail(ErrorKind::data, "{}: JSON is nested deeper than {} levels", source_, max_depth);
    }
    open_.push_back({std::move(value), {}});
    return true;
  }

  bool close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    return put(std::move(value));
  }

  std::string_view source_;
  Duplicates duplicates_;
  Json root_;
  std::vector<Frame> open_;
};

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const std::string text = fmt::format("{}", value);
  out += text;
  if (text.find_first_of(".e") == text.npos) out += ".0";
}

class Dumper {
 public:
  explicit Dumper(int indent) : indent_(indent) {}

  void append(const Json& value) {
    if (value.is_null()) out_ += "null";
    else if (value.is_bool()) out_ += value.as_bool() ? "true" : "false";
    else if (value.is_integer()) out_ += fmt::format("{}", value.as_integer());
    else if (value.is_number()) append_double(out_, value.as_number());
    else if (value.is_string()) append_string(out_, value.as_string());
    else if (value.is_array()) append_all(value.as_array(), '[', ']', [this](const Json& item) { append(item); });
    else
      append_all(value.as_object(), '{', '}', [this](const Json::Member& member) {
        append_string(out_, member.first);
        out_ += indent_ < 0 ? ":" : ": ";
        append(member.second);
      });
  }

  std::string take() { return std::move(out_); }

 private:
  template <class Items, class AppendOne>
  void append_all(const Items& items, char open, char close, const AppendOne& append_one) {
    out_ += open;
    ++depth_;
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_ += ',';
      first = false;
      new_line();
      append_one(item);
    }
    --depth_;
    if (!items.empty()) new_line();
    out_ += close;
  }

  void new_line() {
    if (indent_ < 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(indent_ * depth_), ' ');
  }

  int indent_;
  int depth_ = 0;
  std::string out_;
};

Json parse_text(std::string_view text, std::string_view source, Duplicates duplicates) {
  Builder builder(source, duplicates);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

[[noreturn]] void wrong_type(std::string_view expected, const Json& found) {
  fail(ErrorKind::data, "JSON value: expected {}, got {}", expected, found.type_name());
}

}  // namespace

Json Json::parse(std::string_view text, std::string_view source) {
  return parse_text(text, source, Duplicates::last_wins);
}

Json Json::parse_unique(std::string_view text, std::string_view source) {
  return parse_text(text, source, Duplicates::refuse);
}

std::string Json::dump(int indent) const {
  Dumper dumper(indent);
  dumper.append(*this);
  return dumper.take();
}

std::string_view Json::type_name() const {
  constexpr std::string_view names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
  return names[value_.index()];
}

bool Json::as_bool() const {
  if (!is_bool()) wrong_type("boolean", *this);
  return std::get<bool>(value_);
}

std::int64_t Json::as_integer() const {
  if (!is_integer()) wrong_type("integer", *this);
  return std::get<std::int64_t>(value_);
}

double Json::as_number() const {
  if (!is_number()) wrong_type("number", *this);
  return is_integer() ? static_cast<double>(std::get<std::int64_t>(value_)) : std::get<double>(value_);
}

const std::string& Json::as_string() const {
  if (!is_string()) wrong_type("string", *this);
  return std::get<std::string>(value_);
}

const Json::Array& Json::as_array() const {
  if (!is_array()) wrong_type("array", *this);
  return std::get<Array>(value_);
}

Json::Array& Json::as_array() {
  if (!is_array()) wrong_type("array", *this);
  return std::get<Array>(value_);
}

const Json::Object& Json::as_object() const {
  if (!is_object()) wrong_type("object", *this);
  return std::get<Object>(value_);
}

Json::Object& Json::as_object() {
  if (!is_object()) wrong_type("object", *this);
  return std::get<Object>(value_);
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const Member& member : as_object()) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

const Json& Json::at(std::string_view key) const {
  if (!is_object()) wrong_type("object", *this);
  const Json* value = find(key);
  if (value == nullptr) fail(ErrorKind::data, "JSON object: key \"{}\" is missing", key);
  return *value;
}

void Json::set(std::string key, Json value) {
  if (is_null()) value_ = Object{};
  for (Member& member : as_object()) {
    if (member.first == key) {
      member.second = std::move(value);
      return;
    }
  }
  as_object().emplace_back(std::move(key), std::move(value));
}

void Json::push_back(Json value) {
  if (is_null()) value_ = Array{};
  as_array().push_back(std::move(value));
}

}  // namespace hone
