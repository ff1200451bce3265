#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "data/config.h"
#include "flow/types.h"
#include "io/table.h"

namespace hone {

/// An answer to a question as it stands in its context.
struct ContextAnswer {
  std::string text;
  std::size_t begin = 0;  ///< byte of the context
};

/// A row in hone's words. Only what its shape has is filled.
struct DataRow {
  std::string text;  ///< also the anchor of a pair that means the same, and the context of a question
  std::string text_pair;
  std::string prompt;
  std::string completion;
  std::string chosen;
  std::string rejected;
  std::vector<Message> messages;
  Json tools;                       ///< of the messages: an array of descriptions, or null
  std::string label;                ///< name of a class: text, or a number as it is written, or true or false
  std::vector<std::string> labels;  ///< names of the classes that hold
  double value = 0;
  /// By name. Of a pair: above 0 where the chosen answer is the better one in that respect, below 0 where the rejected one
  /// is. NaN where it is not known.
  std::vector<std::pair<std::string, double>> scores;
  std::vector<std::string> steps;   ///< of a solution, each with one of `labels`
  std::vector<std::string> tokens;  ///< words, each with its tag
  std::vector<std::string> tags;
  std::string question;
  std::vector<ContextAnswer> answers;  ///< none: the context does not say
  std::string positive;
  std::string negative;
  Json reference;         ///< the `reference` column, which every shape may have, or the row (`reference: "*"`)
  std::int64_t line = 0;  ///< in its file, from 1; of json files the element

  /// What decides the split: text, both texts, prompt, tokens, or the messages before the first answer.
  std::string identity() const;
};

/// The shape whose columns the row has; Error{data} that lists what the row has and what it could have.
DataShape detect_shape(const Row& row, const DataConfig& config, const std::string& source);

/// The shape that rows of `shape` are read as: alpaca becomes prompt_completion, conversations become messages.
DataShape canonical_shape(DataShape shape);

/// Whether rows have a text (and perhaps a second one), or a conversation, and something that is known of it.
bool has_labels(DataShape shape);

/// A label as a number to regress on. Error{data} that opens with `where` when it is none.
double number_of(const std::string& label, std::string_view where);

/// Reads one row. Error{data} that names file, line and column when one is missing or has another type.
DataRow read_row(const Row& row, DataShape shape, const DataConfig& config, const std::string& source);

}  // namespace hone
