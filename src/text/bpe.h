#pragma once

#include "text/bpe_spec.h"
#include "text/pair_table.h"

#include <array>
#include <atomic>

namespace hone {

/// The merging core of byte-level BPE: one piece of text to ids. Starting from single bytes, the neighbouring pair of
/// the lowest rank (the leftmost of equals) becomes one token until no pair has a rank.
///
/// Most pieces are one token. Whether merging would give exactly that token is found out once per token and kept, so
/// such a piece costs a single look-up.
class BpeModel {
 public:
  /// `spec` must outlive the model. Error{data} for a merge whose parts or result are no tokens.
  BpeModel(const BpeSpec& spec, const std::string& source);

  /// Appends the ids of `piece` (not empty). Error{data} when a byte has no token. Thread-safe.
  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const;
  /// -1 when no token has these bytes.
  std::int32_t find(std::string_view bytes) const { return tokens_.find(bytes); }

 private:
  enum Whole : std::uint8_t { unknown, yes, no };

  void merge_short(std::string_view piece, std::vector<std::int32_t>& ids) const;
  void merge_long(std::string_view piece, std::vector<std::int32_t>& ids) const;
  void merge(std::string_view piece, std::vector<std::int32_t>& ids) const;
  std::int32_t byte_id(char byte) const;

  const BpeSpec& spec_;
  ByteMap tokens_;
  PairTable merges_;
  std::array<std::int32_t, 256> byte_ids_{};
  mutable std::vector<std::atomic<std::uint8_t>> whole_;  ///< of each token, a Whole
};

}  // namespace hone
