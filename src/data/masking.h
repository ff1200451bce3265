#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "data/packing.h"
#include "text/tokenizer.h"

/// Texts with holes: what masked language models learn from.
namespace hone {

/// Which tokens are hidden, and how.
struct MaskingRules {
  double share = 0.15;         ///< of a text's own tokens
  double masked = 0.8;         ///< of those: become the mask token
  double random = 0.1;         ///< of those: become any token; the others stay as they are
  /// Words are hidden with all their tokens. A word begins with a token without ## where the vocabulary has such
  /// marks, with one that begins with a space else.
  bool whole_words = false;
  double mean_span = 3;        ///< encoder-decoder models: tokens of a span
};

/// Whether a text has a token that is not special: without one nothing of it can be hidden.
bool can_be_masked(const TokenExample& text, const Tokenizer& tokenizer);

/// Hides tokens of texts. Immutable; `tokenizer` must outlive it.
class Masking {
 public:
  /// Error{config} when the tokenizer has no mask token, or special tokens alone.
  Masking(const Tokenizer& tokenizer, const MaskingRules& rules);

  /// The text with round(share · tokens), at least one, of its tokens hidden (Devlin et al. 2019, section 3.1 and
  /// appendix A.1); tags are their ids, -1 elsewhere. Special tokens are never hidden and never put in. Words are
  /// taken in random order where they still fit; if none does, the first of them is hidden all the same. A text that
  /// cannot be masked has no tags that count.
  TokenExample mask(const TokenExample& text, Random random) const;

 private:
  /// Neighbours that are hidden together, as first and one past the last place.
  std::vector<std::array<std::size_t, 2>> units(std::span<const std::int32_t> ids) const;
  std::int32_t replacement(std::int32_t id, Random& random) const;

  const Tokenizer& tokenizer_;
  MaskingRules rules_;
  std::int32_t mask_ = 0;
  std::vector<std::int32_t> ordinary_;  ///< what random tokens are drawn from
  std::vector<bool> rest_of_word_;      ///< by id; empty unless whole words are hidden
};

/// Spans of a text are what an encoder-decoder model writes (Raffel et al. 2020, section 3.1.4). Immutable;
/// `tokenizer` must outlive it.
class SpanCorruption {
 public:
  /// Sentinels are the tokens <extra_id_0>, <extra_id_1> …: Error{config} when there are none. Targets begin with
  /// `decoder_start`.
  SpanCorruption(const Tokenizer& tokenizer, const MaskingRules& rules, std::int32_t decoder_start);

  /// Source: the text, each hidden span replaced by a sentinel. Target: each sentinel and the span behind it. Both
  /// end with the special token that the text ends with, or with eos where it has none; it is not counted among the
  /// text's tokens, of which there is at least one. round(share · tokens) are hidden, in round(hidden / mean_span)
  /// spans, at least one and at most as many as there are sentinels. Each stands behind a stretch that stays, and
  /// every division into spans and stretches is equally likely. A text of one token is hidden whole.
  TokenExample corrupt(const TokenExample& text, Random random) const;

 private:
  const Tokenizer& tokenizer_;
  MaskingRules rules_;
  std::int32_t decoder_start_;
  std::vector<std::int32_t> sentinels_;
};

}  // namespace hone
