#include "data/dataset.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/random.h"
#include "data/normalize.h"
#include "data/prepare_rows.h"
#include "io/table.h"

namespace hone {

namespace {

std::string_view word(Split split) { return split == Split::train ? "training" : "held-out"; }

/// The rows of a file, or of a file of prompts and another of their completions.
class RowReader {
 public:
  RowReader(const std::string& path, const std::optional<std::string>& target_path, const DataConfig& config)
      : config_(config), detects_(config.shape == DataShape::automatic), table_(open(path)) {
    if (target_path) targets_ = open(*target_path);
  }

  const std::string& source() const { return table_->source(); }

  /// Settles `shape` by the first row. Error{data} when later rows have other columns.
  std::optional<DataRow> next(DataShape& shape) {
    const std::optional<Row> row = table_->next();
    if (targets_) {
      shape = DataShape::prompt_completion;
      return parallel(row, targets_->next());
    }
    if (!row) return std::nullopt;
    if (shape == DataShape::automatic) shape = detect_shape(*row, config_, source());
    DataRow read = read_row(*row, shape, config_, source());
    if (detects_) require_same_shape(*row, shape);
    return read;
  }

 private:
  /// A row with more columns than the first would lose what it says.
  void require_same_shape(const Row& row, DataShape shape) const {
    const DataShape found = detect_shape(row, config_, source());
    if (found == shape) return;
    fail(ErrorKind::data,
         "{}:{}: its columns make it a row of {}, and the rows before it are rows of {}; give all rows the same columns, "
         "or set `shape:`",
         source(), row.line, name_of(found), name_of(shape));
  }

  std::unique_ptr<TableReader> open(const std::string& path) const {
    return open_table(path,
                      {.format = config_.format, .encoding = config_.encoding, .column_names = config_.column_names});
  }

  /// Lines of the same number. Blank lines are no rows, so they would go unnoticed if numbers were not compared.
  std::optional<DataRow> parallel(const std::optional<Row>& row, const std::optional<Row>& target) const {
    if (!row && !target) return std::nullopt;
    if (!row || !target || row->line != target->line) {
      const bool target_lacks = row && (!target || target->line > row->line);
      fail(ErrorKind::data, "{} has no line {}, or a blank one, and {} has one; expected a target for each line",
           (target_lacks ? targets_ : table_)->source(), target_lacks ? row->line : target->line,
           (target_lacks ? table_ : targets_)->source());
    }
    DataRow pair = read_row(*row, DataShape::text, config_, source());
    pair.prompt = std::exchange(pair.text, {});
    pair.completion = read_row(*target, DataShape::text, config_, targets_->source()).text;
    return pair;
  }

  const DataConfig& config_;
  bool detects_;
  std::unique_ptr<TableReader> table_, targets_;
};

}  // namespace

Dataset Dataset::load(std::string name, const DataConfig& config, std::uint64_t seed, const Tokenizer* tokenizer) {
  Dataset data;
  data.name_ = std::move(name);
  data.shape_ = config.shape;
  data.part_ = config.part;
  data.held_out_share_ = config.held_out;
  data.prompt_words_ = config.prompt_words;
  RowPreparation preparation(config.preparation, "data." + data.name_, stream_key(seed, data.name_), tokenizer);
  data.read(config.path, config.target_path, config, false, preparation);
  if (config.held_out_path) data.read(*config.held_out_path, config.held_out_target_path, config, true, preparation);
  data.shape_ = canonical_shape(data.shape_);
  data.prepare(config, preparation);
  if (config.prompt_words > 0 && data.shape_ != DataShape::text && data.shape_ != DataShape::text_label) {
    fail(ErrorKind::config, "data.{}: `prompt_words` cuts prompts out of `text`, but {} has rows of {}", data.name_,
         config.path, data.shape_name());
  }
  return data;
}

void Dataset::read(const std::string& path, const std::optional<std::string>& target_path, const DataConfig& config,
                   bool held_out_file, RowPreparation& preparation) {
  RowReader reader(path, target_path, config);
  (held_out_file ? held_out_ : train_).source = reader.source();
  if (config.held_out > 0) held_out_.source = reader.source();
  const double share = config.preparation.stratified ? 0 : held_out_share_;
  std::int64_t count = 0;
  while (std::optional<DataRow> row = reader.next(shape_)) {
    ++rows_read_;
    if (preparation.admit(*row, canonical_shape(shape_))) {
      const std::string identity = row->identity();
      const bool mine =
          text_class(identity, "part", static_cast<std::uint64_t>(part_.of)) == static_cast<std::uint64_t>(part_.index);
      const bool hold_out = held_out_file || text_share(identity, "held out") < share;
      if (mine) (hold_out ? held_out_ : train_).rows.push_back(std::move(*row));
    }
    if (config.limit && ++count == *config.limit) return;
  }
}

void Dataset::prepare(const DataConfig& config, RowPreparation& preparation) {
  if (config.preparation.stratified) preparation.hold_out(held_out_share_, shape_, train_.rows, held_out_.rows);
  preparation.finish(shape_, train_.rows, held_out_.rows);
  if (const std::string done = preparation.report().text(); !done.empty()) log_info("data.{}: {}", name_, done);
  alterations_ = {preparation.alteration()};
  if (config.held_out_path) warn_of_overlap();
}

bool Dataset::alters() const {
  return std::ranges::any_of(alterations_, [](const Alteration& alteration) { return alteration != nullptr; });
}

DataRow Dataset::altered(std::size_t row, std::uint64_t epoch) const {
  HONE_ASSERT(row < train_.rows.size());
  const Alteration& alteration = alterations_[train_.row_source.empty() ? 0 : train_.row_source[row]];
  return alteration ? alteration->visit(train_.rows[row], row, epoch) : train_.rows[row];
}

void refuse_redrawn_rows(const std::string& data) {
  fail(ErrorKind::config,
       "data.{}.augment.each_epoch: rows are read anew in each epoch by classify, contrastive and mlm (packing: documents) "
       "alone; leave it out for copies that are drawn once",
       data);
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
  const std::string& source = found.row_source.empty() ? found.source : found.sources[found.row_source[row]];
  return fmt::format("{}:{}", source, found.rows[row].line);
}

std::vector<std::string> Dataset::labels(Split split) const {
  if (!has_labels(shape_) && shape_ != DataShape::tokens_tags && shape_ != DataShape::prompt_steps) {
    fail(ErrorKind::data,
         "data.{}: rows of {} have no label; expected text+label, prompt+label, text+labels or tokens+tags (name the "
         "column with `columns: {{label: …}}`)",
         name_, shape_name());
  }
  std::vector<std::string> labels;
  for (const DataRow& row : rows(split)) {
    if (!row.label.empty()) labels.push_back(row.label);
    for (const auto* names : {&row.labels, &row.tags}) labels.insert(labels.end(), names->begin(), names->end());
  }
  return labels;
}

std::string Dataset::summary() const {
  return fmt::format("{} training and {} held-out rows of {}",
                     format_count(static_cast<std::int64_t>(train_.rows.size())),
                     format_count(static_cast<std::int64_t>(held_out_.rows.size())), shape_name());
}

}  // namespace hone
