#include "data/row.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"

namespace hone {

namespace {

struct ShapeColumns {
  DataShape shape;
  std::vector<std::string> columns;
};

/// In the order of detection: what has more columns comes first.
const std::vector<ShapeColumns>& shapes() {
  static const std::vector<ShapeColumns> table = {
      {DataShape::preference, {"prompt", "chosen", "rejected"}},
      {DataShape::prompt_completion, {"prompt", "completion"}},
      {DataShape::prompt_label, {"prompt", "label"}},
      {DataShape::text_label, {"text", "label"}},
      {DataShape::alpaca, {"instruction", "output"}},
      {DataShape::messages, {"messages"}},
      {DataShape::sharegpt, {"conversations"}},
      {DataShape::prompt, {"prompt"}},
      {DataShape::text, {"text"}},
  };
  return table;
}

constexpr std::string_view whole_row = "*";

std::string name_in_file(const DataConfig& config, std::string_view canonical) {
  for (const auto& [name, source] : config.columns) {
    if (name == canonical) return source;
  }
  return std::string(canonical);
}

/// One row being read: every error names its place.
class RowColumns {
 public:
  RowColumns(const Row& row, const DataConfig& config, const std::string& source)
      : row_(row), config_(config), source_(source) {}

  void require(const std::vector<std::string>& canonical) const {
    std::vector<std::string> names;
    for (const std::string& column : canonical) names.push_back(name_in_file(config_, column));
    for (const auto& [column, name] : config_.columns) {
      if (name != whole_row || column != "reference") names.push_back(name);
    }
    require_columns(row_, names, source_);
  }

  const Json* find(std::string_view canonical) const {
    const std::string name = name_in_file(config_, canonical);
    return name == whole_row && canonical == "reference" ? &row_.value : row_.value.find(name);
  }

  std::string text(std::string_view canonical) const {
    const Json& value = *find(canonical);
    if (!value.is_string()) wrong(canonical, "text", value.type_name());
    return value.as_string();
  }

  std::string label() const {
    const Json& value = *find("label");
    if (value.is_integer()) return std::to_string(value.as_integer());
    if (!value.is_string()) wrong("label", "a whole number or text", value.type_name());
    if (value.as_string().empty()) wrong("label", "a class", "an empty text");
    return value.as_string();
  }

  /// A list of objects whose members `role` and `content` have the names given.
  std::vector<Message> messages(std::string_view canonical, std::string_view role, std::string_view content) const {
    const Json& list = *find(canonical);
    if (!list.is_array() || list.as_array().empty()) {
      wrong(canonical, "a list of messages", list.is_array() ? "an empty list" : list.type_name());
    }
    std::vector<Message> messages;
    for (const Json& item : list.as_array()) {
      const Json* who = item.find(role);
      const Json* what = item.find(content);
      if (who == nullptr || what == nullptr || !who->is_string() || !what->is_string()) {
        wrong(canonical, fmt::format("each message to have the texts `{}` and `{}`", role, content),
              fmt::format("{} in message {}", item.dump().substr(0, 80), messages.size() + 1));
      }
      messages.push_back({.role = who->as_string(), .content = what->as_string()});
    }
    return messages;
  }

  [[noreturn]] void wrong(std::string_view canonical, std::string_view expected, std::string_view found) const {
    fail(ErrorKind::data, "{}:{}: column `{}`: expected {}, found {}", source_, row_.line,
         name_in_file(config_, canonical), expected, found);
  }

 private:
  const Row& row_;
  const DataConfig& config_;
  const std::string& source_;
};

/// The roles of the sharegpt shape in hone's words.
std::string role_of(const std::string& from, const RowColumns& columns) {
  if (from == "human" || from == "user") return "user";
  if (from == "gpt" || from == "assistant" || from == "function_call") return "assistant";
  if (from == "system") return "system";
  if (from == "observation" || from == "tool") return "tool";
  columns.wrong("conversations", "`from` to be human, gpt, system, function_call or observation", "'" + from + "'");
}

void read_alpaca(const RowColumns& columns, DataRow& row) {
  row.prompt = columns.text("instruction");
  const Json* input = columns.find("input");
  if (input != nullptr && !input->is_null() && !columns.text("input").empty())
    row.prompt += "\n" + columns.text("input");
  row.completion = columns.text("output");
}

void read_columns(const RowColumns& columns, DataShape shape, DataRow& row) {
  switch (shape) {
    case DataShape::text: row.text = columns.text("text"); return;
    case DataShape::text_label: row.text = columns.text("text"), row.label = columns.label(); return;
    case DataShape::prompt: row.prompt = columns.text("prompt"); return;
    case DataShape::prompt_completion:
      row.prompt = columns.text("prompt"), row.completion = columns.text("completion");
      return;
    case DataShape::prompt_label: row.prompt = columns.text("prompt"), row.label = columns.label(); return;
    case DataShape::preference:
      row.prompt = columns.text("prompt");
      row.chosen = columns.text("chosen"), row.rejected = columns.text("rejected");
      return;
    case DataShape::messages: row.messages = columns.messages("messages", "role", "content"); return;
    case DataShape::alpaca: read_alpaca(columns, row); return;
    case DataShape::sharegpt:
      row.messages = columns.messages("conversations", "from", "value");
      for (Message& message : row.messages) message.role = role_of(message.role, columns);
      return;
    case DataShape::automatic: break;
  }
  HONE_ASSERT(false && "the shape is known here");
}

}  // namespace

std::string DataRow::identity() const {
  if (!text.empty()) return text;
  if (messages.empty()) return prompt;
  std::string joined;
  for (const Message& message : messages) {
    if (message.role == "assistant" && !joined.empty()) break;
    joined += message.content + "\n";
  }
  return joined;
}

DataShape canonical_shape(DataShape shape) {
  if (shape == DataShape::alpaca) return DataShape::prompt_completion;
  return shape == DataShape::sharegpt ? DataShape::messages : shape;
}

DataShape detect_shape(const Row& row, const DataConfig& config, const std::string& source) {
  const RowColumns columns(row, config, source);
  columns.require({});
  for (const ShapeColumns& candidate : shapes()) {
    if (std::all_of(candidate.columns.begin(), candidate.columns.end(),
                    [&](const std::string& column) { return columns.find(column) != nullptr; })) {
      return candidate.shape;
    }
  }
  std::vector<std::string> present;
  for (const auto& [name, value] : row.value.as_object()) present.push_back(name);
  std::string near;
  for (const std::string_view column : canonical_columns) {
    const std::string nearest = nearest_word(column, present);
    if (near.empty() && !nearest.empty()) near = fmt::format("; did you mean `columns: {{{}: {}}}`?", column, nearest);
  }
  fail(ErrorKind::data,
       "{}:{}: its columns ({}) are none that hone knows: text, text+label, prompt, prompt+completion, prompt+label, "
       "prompt+chosen+rejected, messages, instruction+output or conversations; name them with `columns:`{}",
       source, row.line, fmt::join(present, ", "), near);
}

DataRow read_row(const Row& row, DataShape shape, const DataConfig& config, const std::string& source) {
  const RowColumns columns(row, config, source);
  for (const ShapeColumns& known : shapes()) {
    if (known.shape == shape) columns.require(known.columns);
  }
  DataRow out{.line = row.line};
  read_columns(columns, shape, out);
  if (const Json* reference = columns.find("reference")) out.reference = *reference;
  return out;
}

}  // namespace hone
