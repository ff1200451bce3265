#pragma once

#include <stdint.h>

#include "kernels/isa.h"
#include "kernels/lm_head/row_cpu.h"

namespace hone::kernels {

inline constexpr int64_t sample_block = row_block;
inline constexpr int64_t sample_thresholds = 8;  ///< that one pass compares with
inline constexpr int64_t sample_slack = 16;      ///< elements that sample_filter may write behind the last one

/// The end of the tokens that are kept, in a row and its trace.
struct SampleCut {
  const float* logits;
  int64_t count;
  float inverse_temperature;
  float highest;      ///< scaled logit whose term is 1
  const float* peak;  ///< of blocks
  const float* term;  ///< or null
  float last_logit;   ///< kept are larger logits, and equal ones up to last_id
  int32_t last_id;
};

/// Logits with their ids and masses; `id` null: the places. `peak` (or null) holds the largest of each block of 64.
struct SampleList {
  const float* logit;
  const float* mass;
  const int32_t* id;
  const float* peak;
  int64_t count;
};

}  // namespace hone::kernels

/// mass[i] = exp(logits[i] · inverse_temperature - offset).
HONE_DECLARE_KERNEL(void, sample_masses,
                    (const float* logits, int64_t count, float inverse_temperature, float offset, float* mass))

/// sum[k] = Σ mass[i] over logits of at least threshold[k]; 8 thresholds, the lowest first.
HONE_DECLARE_KERNEL(void, sample_masses_above, (const SampleList& list, const float* threshold, double* sum))

/// Copies what has low ≤ logit < high, in order, and returns how many; `mass` may be null. Room for list.count + 16.
HONE_DECLARE_KERNEL(int64_t, sample_filter,
                    (const SampleList& list, float low, float high, int32_t* id, float* logit, float* mass))

/// Sum of the terms that are kept of each block of 64.
HONE_DECLARE_KERNEL(void, sample_kept_masses, (const SampleCut& cut, float* mass))

/// The terms of places [begin, end), 0 for those that are not kept.
HONE_DECLARE_KERNEL(void, sample_kept_terms, (const SampleCut& cut, int64_t begin, int64_t end, float* term))
