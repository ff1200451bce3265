#pragma once

#include <cstdint>
#include <vector>

#include "kernels/sample/sample.h"

namespace hone::kernels {

/// One row on its way through the sampler, and what one pass over it left (kernels/lm_head/row_cpu.h). Terms are
/// probabilities times one factor: `total` is their sum.
struct SampleRow {
  const float* logits = nullptr;
  std::int64_t vocabulary = 0;
  float inverse_temperature = 1.0F;
  const float* block_peak = nullptr;  ///< largest logit of each block of 64
  const float* term = nullptr;        ///< of each token; null for rules with top-k, which look at few
  float peak = 0;                     ///< largest logit
  double total = 0;
};

/// Place of a token in the ranking by descending logit, equals by ascending id.
struct Rank {
  float logit;
  std::int32_t id;
};

inline bool ranks_before(const Rank& a, const Rank& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

/// Some tokens, in ascending ids: the first `count` elements, the memory behind them is kept.
struct Candidates {
  std::vector<std::int32_t> id;
  std::vector<float> logit;
  std::vector<float> mass;  ///< terms
  std::size_t count = 0;

  void make_room(std::size_t size);
};

/// The first token with the largest logit.
Rank first_of_largest(const SampleRow& row);

/// The last token that the rule, which truncates, keeps: every truncation keeps the front of the ranking, and at least
/// one token.
Rank last_kept(const SampleRow& row, const SampleRule& rule);

}  // namespace hone::kernels
