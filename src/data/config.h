#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "data/preparation.h"
#include "io/table.h"

namespace hone {

/// What a row of a data set holds; the names are its columns.
enum class DataShape {
  automatic,  ///< by the columns of the first row
  text,
  text_label,
  text_labels,  ///< `labels`: a list of class names, which may be empty
  text_value,   ///< `value`: a number
  text_scores,  ///< `scores`: several numbers by name
  text_pair,
  text_pair_label,
  text_pair_labels,
  text_pair_value,
  prompt,  ///< for reinforcement learning, often with a `reference`
  prompt_completion,
  prompt_completion_label,  ///< whether the completion is a good one
  prompt_completion_scores, ///< `scores`: a number for each of several attributes
  prompt_steps,             ///< the steps of a solution, each with a label
  prompt_label,
  preference,           ///< prompt, chosen, rejected
  messages,             ///< a list of {role, content}
  messages_label,       ///< … and whether its last answer is a good one
  messages_preference,  ///< … and two answers: texts, or one message each
  tokens_tags,          ///< two lists of the same length
  question,             ///< context, question, and answers as {text: [...], answer_start: [...]} (SQuAD)
  positive,             ///< anchor, positive: two texts that mean the same
  triplet,              ///< anchor, positive, negative
  alpaca,               ///< instruction, output and maybe input: read as prompt_completion
  sharegpt,             ///< conversations, a list of {from, value}: read as messages, as are the next two
  sharegpt_label,
  sharegpt_preference,
};
inline constexpr std::array<std::string_view, 28> data_shape_names = {"auto",
                                                                      "text",
                                                                      "text+label",
                                                                      "text+labels",
                                                                      "text+value",
                                                                  "text+scores",
                                                                      "text+text_pair",
                                                                      "text+text_pair+label",
                                                                      "text+text_pair+labels",
                                                                      "text+text_pair+value",
                                                                      "prompt",
                                                                      "prompt+completion",
                                                                      "prompt+completion+label",
                                                                  "prompt+completion+scores",
                                                                  "prompt+completions+labels",
                                                                      "prompt+label",
                                                                      "prompt+chosen+rejected",
                                                                      "messages",
                                                                      "messages+label",
                                                                      "messages+chosen+rejected",
                                                                      "tokens+tags",
                                                                      "context+question+answers",
                                                                      "anchor+positive",
                                                                      "anchor+positive+negative",
                                                                      "alpaca",
                                                                      "sharegpt",
                                                                      "conversations+label",
                                                                      "conversations+chosen+rejected"};
inline std::string_view name_of(DataShape shape) { return data_shape_names[static_cast<std::size_t>(shape)]; }
inline constexpr std::array<std::string_view, 7> table_format_names = {"auto", "jsonl", "json",      "csv",
                                                                       "tsv",  "text",  "label_text"};
inline constexpr std::array<std::string_view, 2> encoding_names = {"utf-8", "latin-1"};
/// Every name that the left side of `columns:` may have.
inline constexpr std::array<std::string_view, 27> canonical_columns = {
    "text",      "text_pair",   "label",   "labels",   "value",   "prompt",        "completion", "messages",
    "chosen",    "rejected",    "tokens",  "tags",     "context", "question",      "answers",    "anchor",
    "positive",  "negative",    "reference", "instruction", "input", "output",       "conversations", "tools",
    "scores",    "preferences", "completions"};

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
  std::vector<std::string> score_columns;                    ///< in the file, that together are `scores`
  DataShape shape = DataShape::automatic;
  double held_out = 0;
  std::optional<std::string> held_out_path;
  std::optional<std::string> target_path;  ///< completions of the prompts in `path`, line by line
  std::optional<std::string> held_out_target_path;
  DataPart part;
  std::optional<std::int64_t> limit;
  std::int64_t prompt_words = 0;
  PreparationConfig preparation;
  MixtureConfig mixture;  ///< of other entries; excludes `path`
  void describe(Fields& f);
};

}  // namespace hone
