#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/config.h"
#include "data/row.h"
#include "flow/types.h"

namespace hone {

class RowAlteration;
class RowPreparation;
class Tokenizer;

/// The rows of one entry of the `data:` map, in memory, divided into training and held-out rows. Immutable.
class Dataset {
 public:
  /// Reads, checks and prepares every row. `name` is the entry's key; what is drawn depends on `seed`. Error{data} names
  /// file and line; a held-out file that repeats training rows is warned of. Error{config} when rows are to be filtered
  /// by tokens and `tokenizer` is null.
  static Dataset load(std::string name, const DataConfig& config, std::uint64_t seed = 0,
                      const Tokenizer* tokenizer = nullptr);
  /// Several data sets as one, in the order of `config.weights`: so many training rows of each that the shares are
  /// right, whole rounds and then a random part of one; and all held-out rows. Error{config} when their shapes differ.
  static Dataset mix(std::string name, const MixtureConfig& config,
                     std::span<const std::shared_ptr<const Dataset>> parts, std::uint64_t seed = 0);

  const std::string& name() const { return name_; }
  /// Never automatic, and never a shape that is read as another: see canonical_shape.
  DataShape shape() const { return shape_; }
  std::string_view shape_name() const { return name_of(shape_); }
  /// Whether the split has rows.
  bool has(Split split) const { return !of(split).rows.empty(); }
  /// In the file's order. Error{data} that says why when the split has none.
  std::span<const DataRow> rows(Split split) const;
  /// "reviews.txt:12", to open the message of an error.
  std::string place(Split split, std::size_t row) const;
  /// Class names of the rows (of multi-label rows each, of tokens their tags), repeated as they occur; Error{data} when
  /// rows of this shape have none.
  std::vector<std::string> labels(Split split) const;
  /// Whether training rows are altered whenever they are visited (`augment: {each_epoch: true}`).
  bool alters() const;
  /// What a visit in that epoch reads of a training row: the row itself or an alteration; the same whenever it is asked.
  DataRow altered(std::size_t row, std::uint64_t epoch) const;
  std::int64_t prompt_words() const { return prompt_words_; }
  /// "9,601 training and 1,061 held-out rows of text+label".
  std::string summary() const;

 private:
  struct SplitRows {
    std::string source;
    std::vector<DataRow> rows;
    std::vector<std::string> sources;       ///< of a mixture, one a part
    std::vector<std::uint32_t> row_source;  ///< of a mixture, by row
  };
  using Alteration = std::shared_ptr<const RowAlteration>;  ///< null: none

  void read(const std::string& path, const std::optional<std::string>& target_path, const DataConfig& config,
            bool held_out_file, RowPreparation& preparation);
  void prepare(const DataConfig& config, RowPreparation& preparation);
  void warn_of_overlap() const;
  const SplitRows& of(Split split) const { return split == Split::train ? train_ : held_out_; }

  std::string name_;
  DataShape shape_ = DataShape::automatic;
  DataPart part_;
  double held_out_share_ = 0;
  std::int64_t prompt_words_ = 0;
  std::int64_t rows_read_ = 0;
  SplitRows train_;
  SplitRows held_out_;
  std::vector<Alteration> alterations_;  ///< one; of a mixture one a part
};

/// Error{config}: `augment: {each_epoch: true}` of that data set is not for what reads its rows once.
[[noreturn]] void refuse_redrawn_rows(const std::string& data);

/// An entry of the `data:` map, from its file or mixed from other entries. Error{config} when a mixture names one that
/// is not there, or is a mixture itself. `tokenizer` as in Dataset::load.
Dataset load_dataset(const std::string& name, const std::map<std::string, DataConfig>& entries, std::uint64_t seed,
                     const Tokenizer* tokenizer = nullptr);

}  // namespace hone
