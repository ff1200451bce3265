#include "data/row_columns.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "text/code_points.h"

namespace hone {

namespace {

constexpr std::string_view whole_row = "*";

/// What of a long value an error shows.
std::string shown(const Json& value) { return value.dump().substr(0, 80); }

/// Byte of the character with that number, or npos behind the end.
std::size_t byte_of_character(std::string_view text, std::int64_t character) {
  std::size_t at = 0;
  for (std::int64_t i = 0; i < character && at < text.size(); ++i) next_code_point(text, at);
  return character < 0 ? std::string_view::npos : at;
}

}  // namespace

std::string RowColumns::name_in_file(std::string_view canonical) const {
  for (const auto& [name, source] : config_.columns) {
    if (name == canonical) return source;
  }
  return std::string(canonical);
}

void RowColumns::require(const std::vector<std::string>& canonical) const {
  std::vector<std::string> names;
  for (const std::string& column : canonical) {
    if (!is_gathered(column)) names.push_back(name_in_file(column));
  }
  names.insert(names.end(), config_.score_columns.begin(), config_.score_columns.end());
  for (const auto& [column, name] : config_.columns) {
    if (name != whole_row || column != "reference") names.push_back(name);
  }
  require_columns(row_, names, source_);
}

const Json* RowColumns::find(std::string_view canonical) const {
  if (is_gathered(canonical)) return &row_.value;
  const std::string name = name_in_file(canonical);
  return name == whole_row && canonical == "reference" ? &row_.value : row_.value.find(name);
}

bool RowColumns::has(std::string_view canonical) const {
  const Json* value = find(canonical);
  return value != nullptr && !value->is_null();
}

void RowColumns::wrong(std::string_view canonical, std::string_view expected, std::string_view found) const {
  fail(ErrorKind::data, "{}:{}: column `{}`: expected {}, found {}", source_, row_.line, name_in_file(canonical),
       expected, found);
}

std::string RowColumns::text(std::string_view canonical) const {
  const Json& value = *find(canonical);
  if (!value.is_string()) wrong(canonical, "text", value.type_name());
  return value.as_string();
}

std::string RowColumns::label() const {
  const Json& value = *find("label");
  if (value.is_integer()) return std::to_string(value.as_integer());
  if (value.is_number()) return fmt::format("{}", value.as_number());
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (!value.is_string()) wrong("label", "a class: text, a number or a truth value", value.type_name());
  if (value.as_string().empty()) wrong("label", "a class", "an empty text");
  return value.as_string();
}

double RowColumns::value(std::string_view canonical) const {
  const Json& value = *find(canonical);
  if (value.is_string()) return number_of(value.as_string(), fmt::format("{}:{}", source_, row_.line));
  if (!value.is_number() || !std::isfinite(value.as_number())) wrong(canonical, "a number", value.type_name());
  return value.as_number();
}

std::vector<std::pair<std::string, double>> RowColumns::scores(std::string_view canonical) const {
  const Json& object = *find(canonical);
  if (!object.is_object()) wrong(canonical, "an object of names and numbers", shown(object));
  std::vector<std::pair<std::string, double>> scores;
  const auto add = [&](const std::string& name, const Json& value) {
    if (value.is_null()) {
      scores.emplace_back(name, std::numeric_limits<double>::quiet_NaN());
    } else if (value.is_string()) {
      scores.emplace_back(name, number_of(value.as_string(), fmt::format("{}:{}: {}", source_, row_.line, name)));
    } else if (value.is_number() && std::isfinite(value.as_number())) {
      scores.emplace_back(name, value.as_number());
    } else {
      wrong(is_gathered(canonical) ? name : canonical, fmt::format("a number as `{}`", name), shown(value));
    }
  };
  if (is_gathered(canonical)) {
    for (const std::string& name : config_.score_columns) add(name, object.at(name));
  } else {
    for (const auto& [name, value] : object.as_object()) add(name, value);
  }
  return scores;
}

std::vector<std::string> RowColumns::texts(std::string_view canonical) const {
  const Json& list = *find(canonical);
  if (!list.is_array()) wrong(canonical, "a list", list.type_name());
  std::vector<std::string> texts;
  for (const Json& item : list.as_array()) {
    if (!item.is_string()) wrong(canonical, "texts in the list", shown(item));
    texts.push_back(item.as_string());
  }
  return texts;
}

std::vector<std::string> RowColumns::names(std::string_view canonical) const {
  const Json& list = *find(canonical);
  if (!list.is_array()) wrong(canonical, "a list", list.type_name());
  std::vector<std::string> names;
  for (const Json& item : list.as_array()) {
    if (item.is_bool()) {
      names.emplace_back(item.as_bool() ? "true" : "false");
    } else if (item.is_integer()) {
      names.push_back(std::to_string(item.as_integer()));
    } else if (item.is_string() && !item.as_string().empty()) {
      names.push_back(item.as_string());
    } else {
      wrong(canonical, "texts, whole numbers or truth values in the list", shown(item));
    }
  }
  return names;
}

std::string RowColumns::answer(std::string_view canonical, std::string_view content) const {
  const Json& value = *find(canonical);
  const Json* message = value.is_array() && value.as_array().size() == 1 ? &value.as_array()[0] : &value;
  const Json* text = message->is_object() ? message->find(content) : message;
  if (text == nullptr || !text->is_string()) {
    wrong(canonical, fmt::format("a text, or one message with the text `{}`", content), shown(value));
  }
  return text->as_string();
}

std::vector<ContextAnswer> RowColumns::answers(const std::string& context) const {
  const Json& value = *find("answers");
  const Json* texts = value.is_object() ? value.find("text") : nullptr;
  const Json* starts = value.is_object() ? value.find("answer_start") : nullptr;
  if (texts == nullptr || starts == nullptr || !texts->is_array() || !starts->is_array() ||
      texts->as_array().size() != starts->as_array().size()) {
    wrong("answers", "{text: [...], answer_start: [...]}, two lists of the same length", shown(value));
  }
  std::vector<ContextAnswer> answers;
  for (std::size_t i = 0; i < texts->as_array().size(); ++i) {
    const Json& text = texts->as_array()[i];
    const Json& start = starts->as_array()[i];
    if (!text.is_string() || text.as_string().empty() || !start.is_integer()) {
      wrong("answers", "texts, and the characters where they start", shown(value));
    }
    const std::size_t begin = byte_of_character(context, start.as_integer());
    if (begin >= context.size() || context.compare(begin, text.as_string().size(), text.as_string()) != 0) {
      wrong("answers", fmt::format("\"{}\" at character {} of the context", text.as_string(), start.as_integer()),
            begin >= context.size() ? "its end" : "\"" + context.substr(begin, text.as_string().size()) + "\"");
    }
    answers.push_back({text.as_string(), begin});
  }
  return answers;
}

double number_of(const std::string& label, std::string_view where) {
  double value = 0;
  const char* end = label.data() + label.size();
  const auto [stop, error] = std::from_chars(label.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) {
    fail(ErrorKind::data, "{}: expected a number to regress on, found '{}'", where, label);
  }
  return value;
}

}  // namespace hone
