#include "data/row.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "data/row_columns.h"

namespace hone {

namespace {

struct ShapeColumns {
  DataShape shape;
  std::vector<std::string> columns;
};

/// In the order of detection: what has more columns comes first.
const std::vector<ShapeColumns>& shapes() {
  static const std::vector<ShapeColumns> table = {
      {DataShape::messages_preference, {"messages", "chosen", "rejected"}},
      {DataShape::sharegpt_preference, {"conversations", "chosen", "rejected"}},
      {DataShape::preference, {"prompt", "chosen", "rejected"}},
      {DataShape::question, {"context", "question", "answers"}},
      {DataShape::triplet, {"anchor", "positive", "negative"}},
      {DataShape::prompt_steps, {"prompt", "completions", "labels"}},
      {DataShape::prompt_completion_label, {"prompt", "completion", "label"}},
      {DataShape::prompt_completion_scores, {"prompt", "completion", "scores"}},
      {DataShape::text_pair_labels, {"text", "text_pair", "labels"}},
      {DataShape::text_pair_label, {"text", "text_pair", "label"}},
      {DataShape::text_pair_value, {"text", "text_pair", "value"}},
      {DataShape::prompt_completion, {"prompt", "completion"}},
      {DataShape::prompt_label, {"prompt", "label"}},
      {DataShape::text_labels, {"text", "labels"}},
      {DataShape::text_label, {"text", "label"}},
      {DataShape::text_value, {"text", "value"}},
      {DataShape::text_scores, {"text", "scores"}},
      {DataShape::tokens_tags, {"tokens", "tags"}},
      {DataShape::positive, {"anchor", "positive"}},
      {DataShape::alpaca, {"instruction", "output"}},
      {DataShape::messages_label, {"messages", "label"}},
      {DataShape::sharegpt_label, {"conversations", "label"}},
      {DataShape::messages, {"messages"}},
      {DataShape::sharegpt, {"conversations"}},
      {DataShape::text_pair, {"text", "text_pair"}},
      {DataShape::prompt, {"prompt"}},
      {DataShape::text, {"text"}},
  };
  return table;
}

/// The roles of the sharegpt shape in hone's words.
std::string role_of(const std::string& from, const RowColumns& columns) {
  if (from == "human" || from == "user") return "user";
  if (from == "gpt" || from == "assistant" || from == "function_call") return "assistant";
  if (from == "system") return "system";
  if (from == "observation" || from == "tool") return "tool";
  columns.wrong("conversations", "`from` to be human, gpt, system, function_call or observation", "'" + from + "'");
}

std::vector<Message> conversations(const RowColumns& columns) {
  std::vector<Message> messages = columns.messages("conversations", "from", "value");
  for (Message& message : messages) {
    if (message.role == "function_call") columns.read_call(message);
    message.role = role_of(message.role, columns);
  }
  return messages;
}

void read_alpaca(const RowColumns& columns, DataRow& row) {
  row.prompt = columns.text("instruction");
  if (columns.has("input") && !columns.text("input").empty()) row.prompt += "\n" + columns.text("input");
  row.completion = columns.text("output");
}

void read_tokens(const RowColumns& columns, DataRow& row) {
  row.tokens = columns.names("tokens");
  row.tags = columns.names("tags");
  if (row.tokens.empty() || row.tokens.size() != row.tags.size()) {
    columns.wrong("tags", fmt::format("a tag for each of the {} tokens, at least one", row.tokens.size()),
                  fmt::format("{}", row.tags.size()));
  }
}

void read_steps(const RowColumns& columns, DataRow& row) {
  row.prompt = columns.text("prompt");
  row.steps = columns.texts("completions");
  row.labels = columns.names("labels");
  if (row.steps.empty() || row.steps.size() != row.labels.size()) {
    columns.wrong("labels", fmt::format("a label for each of the {} steps, at least one", row.steps.size()),
                  fmt::format("{}", row.labels.size()));
  }
}

/// What is known of a text or of two, where the shape has it.
void read_text(const RowColumns& columns, DataShape shape, DataRow& row) {
  row.text = columns.text("text");
  const std::string_view name = name_of(shape);
  if (name.find("text_pair") != std::string_view::npos) row.text_pair = columns.text("text_pair");
  if (name.ends_with("+label")) row.label = columns.label();
  if (name.ends_with("+labels")) row.labels = columns.names("labels");
  if (name.ends_with("+value")) row.value = columns.value();
  if (name.ends_with("+scores")) row.scores = columns.scores("scores");
}

/// Conversations and prompts, and what answers them.
void read_prompt(const RowColumns& columns, DataShape shape, DataRow& row) {
  const std::string_view name = name_of(shape);
  if (name.starts_with("prompt")) row.prompt = columns.text("prompt");
  if (name.starts_with("messages")) row.messages = columns.messages("messages", "role", "content");
  if (name.starts_with("conversations") || shape == DataShape::sharegpt) row.messages = conversations(columns);
  if (!row.messages.empty()) row.tools = columns.tools();
  if (name.find("completion") != std::string_view::npos) row.completion = columns.text("completion");
  if (name.ends_with("+label")) row.label = columns.label();
  if (name.ends_with("+scores")) row.scores = columns.scores("scores");
  if (name.ends_with("+rejected") && columns.has("preferences")) row.scores = columns.scores("preferences");
  if (name.ends_with("+rejected") && columns.has("margin")) row.value = columns.value("margin");
  if (shape == DataShape::preference) {
    row.chosen = columns.text("chosen"), row.rejected = columns.text("rejected");
  } else if (name.ends_with("+rejected")) {
    const std::string_view content = shape == DataShape::sharegpt_preference ? "value" : "content";
    row.chosen = columns.answer("chosen", content), row.rejected = columns.answer("rejected", content);
  }
}

void read_columns(const RowColumns& columns, DataShape shape, DataRow& row) {
  switch (shape) {
    case DataShape::alpaca: return read_alpaca(columns, row);
    case DataShape::tokens_tags: return read_tokens(columns, row);
    case DataShape::prompt_steps: return read_steps(columns, row);
    case DataShape::question:
      row.text = columns.text("context"), row.question = columns.text("question");
      row.answers = columns.answers(row.text);
      return;
    case DataShape::triplet: row.negative = columns.text("negative"); [[fallthrough]];
    case DataShape::positive: row.text = columns.text("anchor"), row.positive = columns.text("positive"); return;
    default: break;
  }
  return name_of(shape).starts_with("text") ? read_text(columns, shape, row) : read_prompt(columns, shape, row);
}

[[noreturn]] void fail_for_columns(const Row& row, const std::string& source) {
  std::vector<std::string> present;
  for (const auto& [name, value] : row.value.as_object()) present.push_back(name);
  std::string near;
  for (const std::string_view column : canonical_columns) {
    const std::string nearest = nearest_word(column, present);
    if (near.empty() && !nearest.empty()) near = fmt::format("; did you mean `columns: {{{}: {}}}`?", column, nearest);
  }
  std::vector<std::string> known;
  for (const ShapeColumns& shape : shapes()) known.push_back(fmt::format("{}", fmt::join(shape.columns, "+")));
  std::reverse(known.begin(), known.end());
  fail(ErrorKind::data, "{}:{}: its columns ({}) are none that hone knows: {}; name them with `columns:`{}", source,
       row.line, fmt::join(present, ", "), fmt::join(known, ", "), near);
}

}  // namespace

std::string DataRow::identity() const {
  if (!text.empty()) return text_pair.empty() ? text : text + "\n" + text_pair;
  if (!tokens.empty()) return fmt::format("{}", fmt::join(tokens, " "));
  if (messages.empty()) return prompt;
  std::string joined;
  for (const Message& message : messages) {
    if (message.role == "assistant" && !joined.empty()) break;
    joined += message.content + "\n";
  }
  return joined;
}

DataShape canonical_shape(DataShape shape) {
  switch (shape) {
    case DataShape::alpaca: return DataShape::prompt_completion;
    case DataShape::sharegpt: return DataShape::messages;
    case DataShape::sharegpt_label: return DataShape::messages_label;
    case DataShape::sharegpt_preference: return DataShape::messages_preference;
    default: return shape;
  }
}

bool has_labels(DataShape shape) {
  const std::string_view name = name_of(shape);
  return shape == DataShape::prompt_label || shape == DataShape::messages_label ||
         (name.starts_with("text") &&
          (name.ends_with("+label") || name.ends_with("+labels") || name.ends_with("+value")));
}

DataShape detect_shape(const Row& row, const DataConfig& config, const std::string& source) {
  const RowColumns columns(row, config, source);
  columns.require({});
  for (const bool null_counts : {false, true}) {  // the second time so that reading can say which column is null
    const auto is_there = [&](const std::string& column) {
      return null_counts ? columns.find(column) != nullptr : columns.has(column);
    };
    for (const ShapeColumns& candidate : shapes()) {
      if (std::all_of(candidate.columns.begin(), candidate.columns.end(), is_there)) return candidate.shape;
    }
  }
  fail_for_columns(row, source);
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
