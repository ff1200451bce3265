#include "text/batching.h"

#include "base/error.h"

#include <algorithm>

namespace hone {
namespace {

template <class Value>
void keep(std::vector<Value>& values, std::size_t length, Side side) {
  const auto excess = static_cast<std::ptrdiff_t>(values.size() - length);
  if (side == Side::right) {
    values.resize(length);
  } else {
    values.erase(values.begin(), values.begin() + excess);
  }
}

void cut(EncodedText& encoding, std::size_t length, Side side) {
  if (encoding.ids.size() <= length) return;
  keep(encoding.ids, length, side);
  keep(encoding.type_ids, length, side);
  keep(encoding.offsets, length, side);
  keep(encoding.sequence, length, side);
  keep(encoding.attention, length, side);
}

void cut_longest(std::vector<EncodedText>& texts, std::size_t length, Side side) {
  if (texts.size() == 1) return cut(texts[0], length, side);
  const auto [first, second] = longest_first(texts[0].ids.size(), texts[1].ids.size(), length);
  cut(texts[0], first, side);
  cut(texts[1], second, side);
}

template <class Value>
void fill(std::vector<Value>& values, std::size_t count, Value value, Side side) {
  values.insert(side == Side::right ? values.end() : values.begin(), count, value);
}

}  // namespace

std::pair<std::size_t, std::size_t> longest_first(std::size_t first, std::size_t second, std::size_t length) {
  if (first + second <= length) return {first, second};
  const bool swapped = first > second;
  std::size_t shorter = std::min(first, second);
  std::size_t longer = shorter > length ? shorter : std::max(shorter, length - shorter);
  if (shorter + longer > length) {
    shorter = length / 2;
    longer = shorter + length % 2;
  }
  return swapped ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

void truncate(std::vector<EncodedText>& texts, const Truncation& truncation, std::size_t added) {
  if (added > truncation.max_length) {
    fail(ErrorKind::data, "truncation to max_length {} leaves no room for the {} special tokens that are added",
         truncation.max_length, added);
  }
  const std::size_t length = truncation.max_length - added;
  std::size_t total = 0;
  for (const EncodedText& text : texts) total += text.ids.size();
  if (total <= length) return;
  if (truncation.strategy == TruncationStrategy::longest_first || length == 0) {
    return cut_longest(texts, length, truncation.side);
  }
  const bool second = truncation.strategy == TruncationStrategy::only_second;
  if (second && texts.size() < 2) fail(ErrorKind::data, "truncation is OnlySecond, and there is no second text");
  EncodedText& target = texts[second ? 1 : 0];
  const std::size_t excess = total - length;
  if (target.ids.size() <= excess) {
    fail(ErrorKind::data, "truncation to max_length {} would have to cut {} ids off the {} text, which has only {}",
         truncation.max_length, excess, second ? "second" : "first", target.ids.size());
  }
  cut(target, target.ids.size() - excess, truncation.side);
}

void pad(std::vector<EncodedText>& batch, const Padding& padding) {
  std::size_t length = padding.fixed.value_or(0);
  for (const EncodedText& encoding : batch) {
    if (!padding.fixed) length = std::max(length, encoding.ids.size());
  }
  if (padding.multiple_of > 1) length = (length + padding.multiple_of - 1) / padding.multiple_of * padding.multiple_of;
  for (EncodedText& encoding : batch) {
    if (encoding.ids.size() >= length) continue;
    const std::size_t count = length - encoding.ids.size();
    fill(encoding.ids, count, padding.id, padding.side);
    fill(encoding.type_ids, count, padding.type_id, padding.side);
    fill(encoding.offsets, count, TextRange{}, padding.side);
    fill(encoding.sequence, count, std::int8_t{-1}, padding.side);
    fill(encoding.attention, count, std::uint8_t{0}, padding.side);
  }
}

}  // namespace hone
