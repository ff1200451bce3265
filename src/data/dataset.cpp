#include "data/dataset.h"

#include <unordered_set>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "data/normalize.h"
#include "io/table.h"

namespace hone {

namespace {

std::string_view word(Split split) { return split == Split::train ? "training" : "held-out"; }

}  // namespace

Dataset Dataset::load(std::string name, const DataConfig& config) {
  Dataset data;
  data.name_ = std::move(name);
  data.shape_ = config.shape;
  data.part_ = config.part;
  data.held_out_share_ = config.held_out;
  data.prompt_words_ = config.prompt_words;
  data.read(config.path, config, false);
  if (config.held_out_path) {
    data.read(*config.held_out_path, config, true);
    data.warn_of_overlap();
  }
  data.shape_ = canonical_shape(data.shape_);
  if (config.prompt_words > 0 && data.shape_ != DataShape::text && data.shape_ != DataShape::text_label) {
    fail(ErrorKind::config, "data.{}: `prompt_words` cuts prompts out of `text`, but {} has rows of {}", data.name_,
         config.path, data.shape_name());
  }
  return data;
}

void Dataset::read(const std::string& path, const DataConfig& config, bool held_out_file) {
  const auto table =
      open_table(path, {.format = config.format, .encoding = config.encoding, .column_names = config.column_names});
  (held_out_file ? held_out_ : train_).source = table->source();
  if (config.held_out > 0) held_out_.source = table->source();
  std::int64_t count = 0;
  while (std::optional<Row> row = table->next()) {
    if (shape_ == DataShape::automatic) shape_ = detect_shape(*row, config, table->source());
    DataRow read = read_row(*row, shape_, config, table->source());
    const std::string identity = read.identity();
    ++rows_read_;
    if (text_class(identity, "part", static_cast<std::uint64_t>(part_.of)) == static_cast<std::uint64_t>(part_.index)) {
      const bool hold_out = held_out_file || text_share(identity, "held out") < held_out_share_;
      (hold_out ? held_out_ : train_).rows.push_back(std::move(read));
    }
    if (config.limit && ++count == *config.limit) return;
  }
}

void Dataset::warn_of_overlap() const {
  std::unordered_set<std::string> seen;
  for (const DataRow& row : train_.rows) seen.insert(normalized_text(row.identity()));
  std::int64_t repeated = 0;
  for (const DataRow& row : held_out_.rows) repeated += seen.contains(normalized_text(row.identity())) ? 1 : 0;
  if (repeated > 0) {
    log_warn("data.{}: {} of {} held-out rows of {} also occur in {}, but for case, whitespace and punctuation", name_,
             format_count(repeated), format_count(static_cast<std::int64_t>(held_out_.rows.size())), held_out_.source,
             train_.source);
  }
}

std::span<const DataRow> Dataset::rows(Split split) const {
  const SplitRows& found = of(split);
  if (!found.rows.empty()) return found.rows;
  if (split == Split::held_out && found.source.empty()) {
    fail(ErrorKind::data, "data.{}: no held-out rows: set `held_out:` to a share (0.1) or `held_out_path:` to a file",
         name_);
  }
  fail(ErrorKind::data,
       "data.{}: none of the {} rows read are {} rows: with `held_out` {} and part {} of {} there are {} training and "
       "{} held-out rows; {} needs more rows or other shares",
       name_, format_count(rows_read_), word(split), held_out_share_, part_.index, part_.of, train_.rows.size(),
       held_out_.rows.size(), found.source);
}

std::string Dataset::place(Split split, std::size_t row) const {
  const SplitRows& found = of(split);
  HONE_ASSERT(row < found.rows.size());
  return fmt::format("{}:{}", found.source, found.rows[row].line);
}

std::vector<std::string> Dataset::labels(Split split) const {
  if (shape_ != DataShape::text_label && shape_ != DataShape::prompt_label) {
    fail(ErrorKind::data,
         "data.{}: rows of {} have no label; expected text+label or prompt+label (name the column with `columns: "
         "{{label: …}}`)",
         name_, shape_name());
  }
  std::vector<std::string> labels;
  for (const DataRow& row : rows(split)) labels.push_back(row.label);
  return labels;
}

std::string Dataset::summary() const {
  return fmt::format("{} training and {} held-out rows of {}",
                     format_count(static_cast<std::int64_t>(train_.rows.size())),
                     format_count(static_cast<std::int64_t>(held_out_.rows.size())), shape_name());
}

}  // namespace hone
