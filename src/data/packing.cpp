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
  const bool counts = t + 1 < static_cast<std::int64_t>(example.ids.size()) && t + 1 >= example.context_tokens;
  return counts ? example.ids[static_cast<std::size_t>(t + 1)] : -1;
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
  const auto length = static_cast<std::int64_t>(ids.size());
  return std::max<std::int64_t>(0, length - std::max<std::int64_t>(1, context_tokens));
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

std::vector<TokenExample> cut_into_blocks(std::span<const std::int32_t> ids, std::int64_t context, std::int64_t row) {
  HONE_ASSERT(context >= 2);
  std::vector<TokenExample> blocks;
  const auto width = static_cast<std::size_t>(context);
  for (std::size_t begin = 0; begin + 1 < ids.size(); begin += width - 1) {
    const auto piece = ids.subspan(begin, std::min(width, ids.size() - begin));
    blocks.push_back({.ids = {piece.begin(), piece.end()}, .row = row});
  }
  return blocks;
}

}  // namespace hone
