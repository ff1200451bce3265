#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "io/table.h"

namespace hone {

/// What a row of a data set holds; the names are its columns.
enum class DataShape {
  automatic,  ///< by the columns of the first row
  text,
  text_label,
  prompt,  ///< for reinforcement learning, often with a `reference`
  prompt_completion,
  prompt_label,
  preference,  ///< prompt, chosen, rejected
  messages,    ///< a list of {role, content}
  alpaca,      ///< instruction, output and maybe input: read as prompt_completion
  sharegpt,    ///< conversations, a list of {from, value}: read as messages
};
inline constexpr std::array<std::string_view, 10> data_shape_names = {
    "auto",     "text",   "text+label", "prompt", "prompt+completion", "prompt+label", "prompt+chosen+rejected",
    "messages", "alpaca", "sharegpt"};
inline constexpr std::array<std::string_view, 7> table_format_names = {"auto", "jsonl", "json",      "csv",
                                                                       "tsv",  "text",  "label_text"};
inline constexpr std::array<std::string_view, 2> encoding_names = {"utf-8", "latin-1"};
/// Every name that the left side of `columns:` may have.
inline constexpr std::array<std::string_view, 12> canonical_columns = {
    "text",  "prompt",    "completion",  "messages", "chosen", "rejected",
    "label", "reference", "instruction", "input",    "output", "conversations"};

/// One of several parts of a data set that share no near-identical rows, chosen by a hash of the normalised text
/// which is independent of the one that holds rows out.
struct DataPart {
  std::int64_t of = 1;
  std::int64_t index = 0;
  void describe(Fields& f);
};

/// One entry of the run file's `data:` map.
struct DataConfig {
  std::string path;
  TableFormat format = TableFormat::by_extension;
  CharacterEncoding encoding = CharacterEncoding::utf8;
  std::vector<std::string> column_names;
  std::vector<std::pair<std::string, std::string>> columns;  ///< canonical name, name in the file
  DataShape shape = DataShape::automatic;
  double held_out = 0;
  std::optional<std::string> held_out_path;
  DataPart part;
  std::optional<std::int64_t> limit;
  std::int64_t prompt_words = 0;
  void describe(Fields& f);
};

}  // namespace hone
