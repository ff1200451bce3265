#pragma once

#include <stdint.h>

#include "kernels/isa.h"

/// Log-softmax of one row of logits. Sampling and the training head both call these, so their log-probabilities agree
/// to the bit.

/// log Σ exp(logits · inverse_temperature) over [0, vocabulary): the largest is subtracted first, terms are summed in an
/// order that depends on `vocabulary` alone. NaN when a logit is NaN or +inf or all are -inf; a single -inf counts as
/// probability 0.
HONE_DECLARE_KERNEL(float, row_log_sum_exp, (const float* logits, int64_t vocabulary, float inverse_temperature))

namespace hone::kernels {

inline constexpr int64_t row_block = 64;  ///< logits that share one peak and one mass

/// What one pass over a row leaves beside the log-sum-exp. Terms are exp(logit · inverse_temperature - largest), the
/// largest being that of all scaled logits.
struct RowTrace {
  float* peak;  ///< largest logit of each block of 64; the last block may be shorter
  float* mass;  ///< sum of the terms of each block
  float* term;  ///< each term, or null
};

}  // namespace hone::kernels

/// row_log_sum_exp, to the bit, with its trace.
HONE_DECLARE_KERNEL(float, row_scan,
                    (const float* logits, int64_t vocabulary, float inverse_temperature, const RowTrace& trace))

/// logits[token] · inverse_temperature - log_sum_exp.
HONE_DECLARE_KERNEL(float, row_logprob,
                    (const float* logits, int64_t token, float inverse_temperature, float log_sum_exp))
