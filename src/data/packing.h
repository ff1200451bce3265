#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hone {

/// One sequence of tokens to learn from.
struct TokenExample {
  std::vector<std::int32_t> ids;
  std::int64_t context_tokens = 0;  ///< the first ids are context: predicting them is not part of the loss
  std::vector<std::uint8_t> learned;  ///< one an id: 0 where the loss does not count it; empty: all behind the context
  std::int64_t label = -1;          ///< class id; -1: none
  std::vector<float> values;        ///< numbers to regress on, or 1 for each class that holds and 0 else; empty: none
  std::vector<std::int64_t> tags;   ///< class of each id, -1 where it has none; empty: next ids are learned
  std::optional<std::array<std::int64_t, 2>> span;  ///< first and last place in `ids` of an answer
  std::vector<std::int32_t> type_ids;               ///< token types, where the second of two texts has its own; empty: all 0
  std::int64_t row = 0;             ///< of the data set's split, from 0; of a stream of texts the block
  /// What the encoder of an encoder-decoder model reads; `ids` is then its decoder's. Empty: no such model.
  std::vector<std::int32_t> source_ids;

  /// Tokens that the loss counts: every id behind the context that is learned, but the very first, which nothing
  /// predicts; with tags those that have one.
  std::int64_t target_tokens() const;
  /// Whether the loss counts ids[t], should something predict it; false behind the end.
  bool learns(std::int64_t t) const;
  /// What a pass over it computes: ids and source.
  std::int64_t tokens() const { return static_cast<std::int64_t>(ids.size() + source_ids.size()); }
};

/// Sequences packed end to end, without padding: the token part of algo's Batch, in plain vectors. The last row of a
/// sequence has no target: target 0 and mask 0, as have the rows that predict context. Of tagged sequences the target
/// of a row is its own tag.
struct PackedRows {
  std::vector<std::int32_t> ids_T;
  std::vector<std::int32_t> position_T;   ///< from 0 in each sequence
  std::vector<std::int32_t> start_S1{0};  ///< borders of the sequences
  std::vector<std::int64_t> target_T;
  std::vector<float> mask_T;
  std::vector<std::int64_t> target_S;  ///< class ids; empty when the examples have no labels
  std::vector<float> target_SC;        ///< the examples' values, one behind the other; empty when they have none
  std::vector<std::int32_t> span_S2;   ///< rows in the packed stream, first and last; empty when the examples have none
  std::vector<std::int32_t> type_T;    ///< empty when no example has types
  std::vector<std::int64_t> group_S;   ///< row of the data set that each sequence came from
  std::vector<std::int64_t> pair_S;    ///< the sequence it is compared with; empty unless packed by pack_pairs
  std::vector<std::int32_t> source_ids_U;  ///< the examples' sources; these three are empty when they have none
  std::vector<std::int32_t> source_position_U;
  std::vector<std::int32_t> source_start_S1;

  std::int64_t tokens() const { return static_cast<std::int64_t>(ids_T.size()); }
  std::int64_t sequences() const { return static_cast<std::int64_t>(start_S1.size()) - 1; }
  std::int64_t target_tokens() const;
};

/// The examples at `rows`, in that order. All of them have labels, or none; the same holds for values, spans and
/// sources.
PackedRows pack(std::span<const TokenExample> examples, std::span<const std::uint64_t> rows);

/// Pairs lie in `examples` as chosen, rejected, chosen, rejected …; `pairs` counts pairs. Sequences 2i and 2i + 1 of
/// the result are chosen and rejected of pairs[i] and name each other in pair_S.
PackedRows pack_pairs(std::span<const TokenExample> examples, std::span<const std::uint64_t> pairs);

/// Cuts a sequence into pieces of at most `context` ≥ 2 tokens; what of it is learned and its row go along. Each piece
/// begins with the last token of the one before it, so every token but the first is predicted exactly once.
std::vector<TokenExample> cut_into_blocks(const TokenExample& example, std::int64_t context);

}  // namespace hone
