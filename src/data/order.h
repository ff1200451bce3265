#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hone {

/// The order in which training visits rows: every epoch is a permutation of all rows that depends on (seed, purpose,
/// epoch) alone, so the cursor (epoch, position) is the whole state.
class RowOrder {
 public:
  /// `count` ≥ 1 rows. Without `shuffle` every epoch is 0, 1, 2 …
  RowOrder(std::uint64_t seed, std::string_view purpose, std::uint64_t count, bool shuffle = true);

  /// The next n rows; runs on into the next epoch where one ends.
  std::vector<std::uint64_t> next(std::uint64_t n);

  std::uint64_t count() const { return count_; }
  std::uint64_t epoch() const { return epoch_; }        ///< epochs completed
  std::uint64_t position() const { return position_; }  ///< rows of this epoch already given out, < count
  /// Fractional epochs, for schedules and people.
  double epochs() const;

  struct Cursor {
    std::uint64_t epoch = 0;
    std::uint64_t position = 0;
  };
  Cursor cursor() const { return {epoch_, position_}; }
  /// Goes to a place that cursor() named.
  void seek(Cursor cursor);

  Json state() const;
  /// Continues where the order that wrote `state` stood. Error{data} when that one had other rows or another seed.
  void restore(const Json& state);

 private:
  void start_epoch(std::uint64_t epoch);

  std::uint64_t key_;
  std::uint64_t count_;
  bool shuffle_;
  std::uint64_t epoch_ = 0;
  std::uint64_t position_ = 0;
  std::vector<std::uint64_t> rows_;  ///< of the current epoch
};

}  // namespace hone
