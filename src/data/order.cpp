#include "data/order.h"

#include <numeric>

#include "base/error.h"
#include "base/random.h"

namespace hone {

namespace {

std::string hex(std::uint64_t value) { return fmt::format("{:016x}", value); }

}  // namespace

RowOrder::RowOrder(std::uint64_t seed, std::string_view purpose, std::uint64_t count, bool shuffle)
    : key_(stream_key(seed, purpose)), count_(count), shuffle_(shuffle), rows_(count) {
  HONE_ASSERT(count > 0);
  start_epoch(0);
}

void RowOrder::start_epoch(std::uint64_t epoch) {
  epoch_ = epoch;
  position_ = 0;
  std::iota(rows_.begin(), rows_.end(), 0);
  if (shuffle_) Random(key_, epoch).shuffle(rows_);
}

std::vector<std::uint64_t> RowOrder::next(std::uint64_t n) {
  std::vector<std::uint64_t> rows;
  rows.reserve(n);
  while (rows.size() < n) {
    rows.push_back(rows_[position_]);
    if (++position_ == count_) start_epoch(epoch_ + 1);
  }
  return rows;
}

double RowOrder::epochs() const {
  return static_cast<double>(epoch_) + static_cast<double>(position_) / static_cast<double>(count_);
}

void RowOrder::seek(Cursor cursor) {
  if (cursor.epoch != epoch_) start_epoch(cursor.epoch);
  position_ = cursor.position;
}

Json RowOrder::state() const {
  return Json::Object{{"epoch", static_cast<std::int64_t>(epoch_)},
                      {"position", static_cast<std::int64_t>(position_)},
                      {"rows", static_cast<std::int64_t>(count_)},
                      {"shuffle", shuffle_},
                      {"key", hex(key_)}};
}

void RowOrder::restore(const Json& state) {
  const auto rows = static_cast<std::uint64_t>(state.at("rows").as_integer());
  const auto position = static_cast<std::uint64_t>(state.at("position").as_integer());
  const std::int64_t epoch = state.at("epoch").as_integer();
  if (rows != count_) {
    fail(ErrorKind::data, "the saved data cursor was in a data set of {} rows, this one has {}: the data changed", rows,
         count_);
  }
  if (state.at("key").as_string() != hex(key_) || state.at("shuffle").as_bool() != shuffle_) {
    fail(ErrorKind::data, "the saved data cursor belongs to another order of rows: the seed or `shuffle` changed");
  }
  if (position >= count_ || epoch < 0) {
    fail(ErrorKind::data, "the saved data cursor is broken: epoch {}, position {} of {} rows", epoch, position, rows);
  }
  start_epoch(static_cast<std::uint64_t>(epoch));
  position_ = position;
}

}  // namespace hone
