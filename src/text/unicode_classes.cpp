#include "text/unicode_classes.h"

#include "text/unicode_tables.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace hone {
namespace {

constexpr std::size_t kPoints = 0x110000, kBlock = 256;

/// A value for every code point, with equal blocks kept once.
template <class Value>
class PointTable {
 public:
  explicit PointTable(const std::vector<Value>& values) {
    std::map<std::vector<Value>, std::uint16_t> known;
    for (std::size_t begin = 0; begin < kPoints; begin += kBlock) {
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(begin);
      const std::vector<Value> block(first, first + kBlock);
      const auto [place, is_new] = known.emplace(block, static_cast<std::uint16_t>(known.size()));
      if (is_new) values_.insert(values_.end(), block.begin(), block.end());
      blocks_[begin / kBlock] = place->second;
    }
  }
  Value operator[](char32_t point) const { return values_[blocks_[point / kBlock] * kBlock + point % kBlock]; }

 private:
  std::array<std::uint16_t, kPoints / kBlock> blocks_{};
  std::vector<Value> values_;
};

template <class Value>
PointTable<Value> from_runs(std::span<const CodePointRun> runs) {
  std::vector<Value> values;
  values.reserve(kPoints);
  for (const CodePointRun& run : runs) values.resize(values.size() + run.length, static_cast<Value>(run.value));
  values.resize(kPoints);
  return PointTable<Value>(values);
}

PointTable<std::int32_t> lower_case_distances() {
  std::vector<std::int32_t> distances(kPoints);
  for (const LowerCaseRow& row : lower_case_rows()) {
    for (std::uint32_t point = row.first; point <= row.last; point += row.step) {
      distances[point] = static_cast<std::int32_t>(row.distance);
    }
  }
  distances[0x130] = 'i' - 0x130;
  return PointTable<std::int32_t>(distances);
}

}  // namespace

CharClass char_class(char32_t point) {
  static const PointTable<std::uint16_t> table = from_runs<std::uint16_t>(class_runs());
  return {table[point]};
}

std::uint8_t script_number(char32_t point) {
  static const PointTable<std::uint8_t> table = from_runs<std::uint8_t>(script_runs());
  return table[point];
}

char32_t lower_case(char32_t point) {
  static const PointTable<std::int32_t> table = lower_case_distances();
  return static_cast<char32_t>(static_cast<std::int32_t>(point) + table[point]);
}

}  // namespace hone
