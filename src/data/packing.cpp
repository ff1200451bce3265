#include "data/packing.h"

#include <algorithm>

#include "base/error.h"

namespace hone {

namespace {

void append_source(PackedRows& packed, const std::vector<std::int32_t>& ids) {
  if (packed.source_start_S1.empty()) packed.source_start_S1.push_back(0);
  for (std::size_t u = 0; u < ids.size(); ++u) packed.source_position_U.push_back(static_cast<std::int32_t>(u));
  packed.source_ids_U.insert(packed.source_ids_U.end(), ids.begin(), ids.end());
  packed.source_start_S1.push_back(static_cast<std::int32_t>(packed.source_ids_U.size()));
}

/// What row t predicts; -1: nothing that counts.
std::int64_t target_at(const TokenExample& example, std::int64_t t) {
  if (!example.tags.empty()) return example.tags[static_cast<std::size_t>(t)];
  return example.learns(t + 1) ? example.ids[static_cast<std::size_t>(t + 1)] : -1;
}

/// Rows before the first example with types have type 0, as have those of examples without.
void append_types(PackedRows& packed, const TokenExample& example) {
  HONE_ASSERT(example.type_ids.empty() || example.type_ids.size() == example.ids.size());
  if (example.type_ids.empty() && packed.type_T.empty()) return;
  packed.type_T.resize(packed.ids_T.size() - example.ids.size(), 0);
  packed.type_T.insert(packed.type_T.end(), example.type_ids.begin(), example.type_ids.end());
  packed.type_T.resize(packed.ids_T.size(), 0);
}

void append(PackedRows& packed, const TokenExample& example) {
  const auto length = static_cast<std::int64_t>(example.ids.size());
  HONE_ASSERT(length > 0 && (example.tags.empty() || example.tags.size() == example.ids.size()));
  for (std::int64_t t = 0; t < length; ++t) {
    const std::int64_t target = target_at(example, t);
    packed.ids_T.push_back(example.ids[static_cast<std::size_t>(t)]);
    packed.position_T.push_back(static_cast<std::int32_t>(t));
    packed.target_T.push_back(std::max<std::int64_t>(0, target));
    packed.mask_T.push_back(target >= 0 ? 1.0F : 0.0F);
  }
  append_types(packed, example);
  if (example.span) {
    const std::int32_t begin = packed.start_S1.back();
    for (const std::int64_t place : *example.span) packed.span_S2.push_back(begin + static_cast<std::int32_t>(place));
  }
  packed.start_S1.push_back(static_cast<std::int32_t>(packed.ids_T.size()));
  packed.group_S.push_back(example.row);
  if (example.label >= 0) packed.target_S.push_back(example.label);
  packed.target_SC.insert(packed.target_SC.end(), example.values.begin(), example.values.end());
  if (!example.source_ids.empty()) append_source(packed, example.source_ids);
}

const TokenExample& at(std::span<const TokenExample> examples, std::uint64_t row) {
  HONE_ASSERT(row < examples.size());
  return examples[row];
}

void check_alike(const PackedRows& packed) {
  HONE_ASSERT(packed.target_S.empty() || packed.target_S.size() == packed.group_S.size());
  HONE_ASSERT(packed.target_SC.empty() || packed.target_SC.size() % packed.group_S.size() == 0);
  HONE_ASSERT(packed.span_S2.empty() || packed.span_S2.size() == 2 * packed.group_S.size());
  HONE_ASSERT(packed.source_start_S1.empty() || packed.source_start_S1.size() == packed.start_S1.size());
}

}  // namespace

std::int64_t TokenExample::target_tokens() const {
  if (!tags.empty()) return std::count_if(tags.begin(), tags.end(), [](std::int64_t tag) { return tag >= 0; });
  std::int64_t count = 0;
  for (std::int64_t t = 1; t < static_cast<std::int64_t>(ids.size()); ++t) count += learns(t);
  return count;
}

bool TokenExample::learns(std::int64_t t) const {
  const auto at = static_cast<std::size_t>(t);
  return at < ids.size() && t >= context_tokens && (learned.empty() || learned[at] != 0);
}

std::int64_t PackedRows::target_tokens() const { return std::count(mask_T.begin(), mask_T.end(), 1.0F); }

PackedRows pack(std::span<const TokenExample> examples, std::span<const std::uint64_t> rows) {
  PackedRows packed;
  for (const std::uint64_t row : rows) append(packed, at(examples, row));
  check_alike(packed);
  return packed;
}

PackedRows pack_pairs(std::span<const TokenExample> examples, std::span<const std::uint64_t> pairs) {
  PackedRows packed;
  for (const std::uint64_t pair : pairs) {
    const std::int64_t chosen = packed.sequences();
    append(packed, at(examples, 2 * pair));
    append(packed, at(examples, 2 * pair + 1));
    packed.pair_S.push_back(chosen + 1);
    packed.pair_S.push_back(chosen);
  }
  check_alike(packed);
  return packed;
}

std::vector<TokenExample> cut_into_blocks(const TokenExample& example, std::int64_t context) {
  HONE_ASSERT(context >= 2 && example.context_tokens == 0);
  std::vector<TokenExample> blocks;
  const auto width = static_cast<std::ptrdiff_t>(context);
  const auto length = static_cast<std::ptrdiff_t>(example.ids.size());
  for (std::ptrdiff_t begin = 0; begin + 1 < length; begin += width - 1) {
    const std::ptrdiff_t end = std::min(begin + width, length);
    TokenExample block{.ids = {example.ids.begin() + begin, example.ids.begin() + end}, .row = example.row};
    if (!example.learned.empty()) block.learned.assign(example.learned.begin() + begin, example.learned.begin() + end);
    blocks.push_back(std::move(block));
  }
  return blocks;
}

}  // namespace hone
