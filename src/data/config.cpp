#include "data/config.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"

namespace hone {

namespace {

bool is_canonical(std::string_view column) {
  return std::find(canonical_columns.begin(), canonical_columns.end(), column) != canonical_columns.end();
}

void check_columns(Fields& f, const std::vector<std::pair<std::string, std::string>>& columns) {
  const std::vector<std::string> known(canonical_columns.begin(), canonical_columns.end());
  for (const auto& [canonical, source] : columns) {
    f.check(is_canonical(canonical), "columns",
            fmt::format("`{}` is no column that hone reads{}", canonical, suggestion(canonical, known)));
  }
}

}  // namespace

void DataPart::describe(Fields& f) {
  f.field("of", of, "Number of parts.", at_least(1));
  f.field("index", index, "Which part, from 0.", at_least(0));
  f.check(index < of, "index", "must be less than `of`");
}

void DataConfig::describe(Fields& f) {
  f.field("path", path, "The file with the rows; `.gz` is unpacked.");
  f.choice("format", format, table_format_names,
           "How the file is written; `auto` goes by its extension. `label_text`: lines of a label, a space and text.");
  f.choice("encoding", encoding, encoding_names, "Of the file's text.");
  f.field("column_names", column_names, "Names of the columns of a csv or tsv file that has no row of names.");
  f.field("columns", columns,
          "Where the file's names differ: `{text: sentence, label: category}`. `{reference: \"*\"}` makes the whole row "
          "the reference, as tests of programs need it.");
  check_columns(f, columns);
  f.field("score_columns", score_columns,
          "Columns with a number each, in the file's names, that together are the row's `scores`: `[helpfulness, "
          "correctness]`.");
  f.choice("shape", shape, data_shape_names, "Which columns make a row; `auto` goes by the first row's columns.");
  f.field("held_out", held_out,
          "Share of the rows kept out of training, chosen by a hash of the normalised text (case, whitespace and "
          "punctuation do not count), so that near-identical rows stay together.",
          Range{.low = 0, .high = 1, .open_high = true});
  f.field("held_out_path", held_out_path, "A file of its own for the held-out rows, written like `path`.");
  f.check(!held_out_path || held_out == 0, "held_out_path", "excludes `held_out`: rows are held out once");
  f.field("target_path", target_path,
          "A file whose lines are the completions of the lines of `path` (translations): rows of prompt+completion.");
  f.field("held_out_target_path", held_out_target_path, "The same of `held_out_path`.");
  f.check(!target_path || shape == DataShape::automatic || shape == DataShape::prompt_completion, "target_path",
          "makes rows of prompt+completion");
  f.check(held_out_target_path.has_value() == (target_path && held_out_path), "held_out_target_path",
          "goes with target_path and held_out_path");
  f.section("part", part,
            "Uses one of several parts that share no near-identical rows; for models that must not see each other's "
            "data.");
  f.field("limit", limit, "Reads the first rows of each file only.", at_least(1));
  f.field("prompt_words", prompt_words,
          "For `text` rows that serve as prompts: only this many words are the prompt. 0: the whole text.",
          at_least(0));
  preparation.describe(f);
  f.check(!preparation.stratified || held_out > 0, "stratified", "needs a `held_out` share");
  f.section("mixture", mixture, "Other entries of `data:` as one, instead of a file.");
  f.check(path.empty() != mixture.weights.empty(), "path", "an entry has either a `path` or a `mixture`");
}

}  // namespace hone
