#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/config.h"
#include "flow/types.h"
#include "io/table.h"

namespace hone {

/// A row in hone's words. Only what its shape has is filled.
struct DataRow {
  std::string text;
  std::string prompt;
  std::string completion;
  std::string chosen;
  std::string rejected;
  std::vector<Message> messages;
  std::string label;      ///< name of a class: text, or a whole number as it is written
  Json reference;         ///< the `reference` column, which every shape may have, or the row (`reference: "*"`)
  std::int64_t line = 0;  ///< in its file, from 1; of json files the element

  /// What decides the split: text, prompt, or the messages before the first answer.
  std::string identity() const;
};

/// The shape whose columns the row has; Error{data} that lists what the row has and what it could have.
DataShape detect_shape(const Row& row, const DataConfig& config, const std::string& source);

/// The shape that rows of `shape` are read as: alpaca and sharegpt become prompt_completion and messages.
DataShape canonical_shape(DataShape shape);

/// Reads one row. Error{data} that names file, line and column when one is missing or has another type.
DataRow read_row(const Row& row, DataShape shape, const DataConfig& config, const std::string& source);

}  // namespace hone
