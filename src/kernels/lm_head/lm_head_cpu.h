#pragma once

#include <stdint.h>

#include "kernels/isa.h"

namespace hone::kernels {

/// One row of the backward pass. Gradients are with respect to logprob and entropy of the scaled logits z.
struct LogitsGradient {
  int64_t target = 0;
  float inverse_temperature = 1;
  float log_sum_exp = 0;
  float dlogprob = 0;
  float dentropy = 0;
  float entropy = 0;   ///< read when dentropy is not 0
  float soft_cap = 0;  ///< of the logits; 0: none
};

}  // namespace hone::kernels

/// logits = soft_cap · tanh(logits / soft_cap), in place.
HONE_DECLARE_KERNEL(void, cap_logits, (float* logits, int64_t count, float soft_cap))

/// Entropy in nats of softmax(logits · inverse_temperature): lse - Σ p z.
HONE_DECLARE_KERNEL(float, row_entropy,
                    (const float* logits, int64_t vocabulary, float inverse_temperature, float log_sum_exp))

/// Turns logits into their gradient, in place: with z = logits · inverse_temperature and p = softmax(z),
/// inverse_temperature · (dlogprob · ([j = target] - p_j) - dentropy · p_j · (log p_j + entropy)). Where the logits are
/// soft-capped, the gradient is of the logits before the cap: times 1 - (logit / soft_cap)².
HONE_DECLARE_KERNEL(void, logits_gradient, (float* logits, int64_t vocabulary, const LogitsGradient& row))
