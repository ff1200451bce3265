#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/config.h"
#include "data/row.h"
#include "io/table.h"

namespace hone {

/// The columns of one row under hone's names. Everything fails as Error{data} that names file, line and column.
class RowColumns {
 public:
  /// Borrows all three.
  RowColumns(const Row& row, const DataConfig& config, const std::string& source)
      : row_(row), config_(config), source_(source) {}

  /// These columns and all that `columns:` names must be there.
  void require(const std::vector<std::string>& canonical) const;
  const Json* find(std::string_view canonical) const;
  /// There, and not null.
  bool has(std::string_view canonical) const;

  std::string text(std::string_view canonical) const;
  /// A class: text, a number or a truth value.
  std::string label() const;
  /// A finite number, perhaps written as text.
  double value(std::string_view canonical = "value") const;
  /// An object of names and numbers, or what `score_columns:` names as `scores`; NaN where one is null.
  std::vector<std::pair<std::string, double>> scores(std::string_view canonical) const;
  /// A list of texts.
  std::vector<std::string> texts(std::string_view canonical) const;
  /// A list of texts, whole numbers or truth values, which may be empty.
  std::vector<std::string> names(std::string_view canonical) const;
  /// A list of objects whose members `role` and `content` have the names given, or such a list as JSON text. Content is
  /// a text or a list of {type: text, text}; a message with tool_calls may have none. Other members are kept as fields.
  std::vector<Message> messages(std::string_view canonical, std::string_view role, std::string_view content) const;
  /// Makes a message whose content is a call {"name", "arguments"} or a list of them, as JSON text, one with tool_calls.
  void read_call(Message& message) const;
  /// The column `tools`: a list of tool descriptions, perhaps as JSON text; null when it is not there or empty.
  Json tools() const;
  /// One of two answers to a conversation: a text, one message or a list of one message.
  std::string answer(std::string_view canonical, std::string_view content) const;
  /// {text: [...], answer_start: [...]}: each text stands in `context` at that character.
  std::vector<ContextAnswer> answers(const std::string& context) const;

  /// The value itself, or what a text holds as JSON.
  Json list_or_text(std::string_view canonical) const;
  [[noreturn]] void wrong(std::string_view canonical, std::string_view expected, std::string_view found) const;

 private:
  bool is_gathered(std::string_view canonical) const { return canonical == "scores" && !config_.score_columns.empty(); }
  std::string name_in_file(std::string_view canonical) const;

  const Row& row_;
  const DataConfig& config_;
  const std::string& source_;
};

}  // namespace hone
