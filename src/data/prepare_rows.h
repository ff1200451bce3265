#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/augmentation.h"
#include "data/preparation.h"
#include "data/row.h"
#include "text/tokenizer.h"

namespace hone {

/// Every text of a row that a person wrote: messages too, but neither names of classes nor lists of tokens.
std::vector<const std::string*> row_texts(const DataRow& row);
/// All of them, a line each; of tokens the tokens.
std::string whole_text(const DataRow& row);
/// Runs of characters between white space; valid UTF-8.
std::int64_t word_count(std::string_view text);

/// Alterations of rows, each fixed by what it is drawn for.
class RowAlteration {
 public:
  /// Reads the synonyms.
  RowAlteration(const AugmentationConfig& config, std::uint64_t key);
  /// The `copy`-th altered copy of the row of that number.
  DataRow copy(DataRow row, std::size_t number, std::int64_t copy) const;
  /// What a visit in that epoch reads: the row itself in one of copies + 1 cases.
  DataRow visit(const DataRow& row, std::size_t number, std::uint64_t epoch) const;

 private:
  void alter(DataRow& row, Random& random) const;

  AugmentationConfig config_;
  std::uint64_t key_;
  Synonyms synonyms_;
};

/// What was left out and added on the way.
struct PreparationReport {
  std::int64_t outside_length = 0;
  std::int64_t equal_rows = 0;
  std::int64_t alike_rows = 0;
  std::int64_t unbalanced_rows = 0;  ///< left out by undersampling
  std::int64_t repeated_rows = 0;    ///< added by oversampling
  std::int64_t altered_rows = 0;     ///< added by augmentation
  /// "12 repeated rows left out, 24 altered copies"; "" when nothing was done.
  std::string text() const;
};

/// The steps that `config` asks for; each says by Error{config}, which opens with `where` ("data.reviews"), when rows of
/// the shape cannot have it. All depend on `seed` and the rows alone.
class RowPreparation {
 public:
  /// `tokenizer` may be null where nothing is filtered by tokens; Error{config} else.
  RowPreparation(const PreparationConfig& config, std::string where, std::uint64_t seed, const Tokenizer* tokenizer);

  /// Cleans a row as it is read; false when its length leaves it out.
  bool admit(DataRow& row, DataShape shape);
  /// Moves `share` of each class from `train` to `held_out`, by a hash of the normalised text; equal texts stay
  /// together.
  void hold_out(double share, DataShape shape, std::vector<DataRow>& train, std::vector<DataRow>& held_out) const;
  /// Duplicates, balance, augmentation.
  void finish(DataShape shape, std::vector<DataRow>& train, std::vector<DataRow>& held_out);

  const PreparationReport& report() const { return report_; }
  /// Of rows that are altered whenever they are visited; null: they are not.
  const std::shared_ptr<const RowAlteration>& alteration() const { return alteration_; }

 private:
  void deduplicate(std::vector<DataRow>& train, std::vector<DataRow>& held_out);
  void balance(DataShape shape, std::vector<DataRow>& train);
  void augment(DataShape shape, std::vector<DataRow>& train);
  bool fits(const DataRow& row) const;
  void require_classes(DataShape shape, std::string_view key) const;

  const PreparationConfig& config_;
  std::string where_;
  std::uint64_t seed_;
  const Tokenizer* tokenizer_;
  std::shared_ptr<const RowAlteration> alteration_;
  PreparationReport report_;
};

}  // namespace hone
