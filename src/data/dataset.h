#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/config.h"
#include "data/row.h"
#include "flow/types.h"

namespace hone {

/// The rows of one entry of the `data:` map, in memory, divided into training and held-out rows. Immutable.
class Dataset {
 public:
  /// Reads and checks every row. `name` is the entry's key. Error{data} names file and line; a held-out file that
  /// repeats training rows is warned of.
  static Dataset load(std::string name, const DataConfig& config);

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
  std::int64_t prompt_words() const { return prompt_words_; }
  /// "9,601 training and 1,061 held-out rows of text+label".
  std::string summary() const;

 private:
  struct SplitRows {
    std::string source;
    std::vector<DataRow> rows;
  };

  void read(const std::string& path, const std::optional<std::string>& target_path, const DataConfig& config,
            bool held_out_file);
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
};

}  // namespace hone
