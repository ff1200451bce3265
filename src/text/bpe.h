#pragma once

#include "text/bpe_spec.h"
#include "text/pair_table.h"
#include "text/subword_model.h"
#include "text/token_map.h"

#include <array>
#include <atomic>

namespace hone {

/// Byte-level BPE: one piece of text, as its bytes are, to ids. Starting from single bytes, the neighbouring pair of the
/// lowest rank (the leftmost of equals) becomes one token until no pair has a rank.
///
/// Most pieces are one token. Whether merging would give exactly that token is found out once per token and kept, so
/// such a piece costs a single look-up.
class BpeModel final : public SubwordModel {
 public:
  /// Error{data} for a merge whose parts or result are no tokens.
  BpeModel(const BpeSpec& spec, const std::string& source);

  /// Appends the ids of `piece` (not empty; any bytes). Error{data} when a byte has no token.
  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const;

  void tokenize(std::string_view piece, std::vector<Subword>& tokens) const override;
  std::optional<std::int32_t> token_to_id(std::string_view token) const override;
  std::string id_to_token(std::int32_t id) const override;
  std::int32_t vocab_size() const override { return tokens_.size(); }
  std::optional<std::int32_t> unknown_id() const override { return std::nullopt; }

 private:
  enum Whole : std::uint8_t { unknown, yes, no };

  template <class Sink>
  void merge(std::string_view piece, const Sink& sink) const;
  template <class Sink>
  void encode_to(std::string_view piece, const Sink& sink) const;
  bool is_whole(std::string_view piece, std::int32_t id) const;
  std::int32_t byte_id(char byte) const;

  TokenMap tokens_;
  PairTable merges_;
  bool has_merges_;
  bool ignore_merges_;
  std::array<std::int32_t, 256> byte_ids_{};
  mutable std::vector<std::atomic<std::uint8_t>> whole_;  ///< of each token, a Whole
};

}  // namespace hone
