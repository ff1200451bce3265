#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "kernels/sample/sample_rule.h"

namespace hone::kernels {

struct Sampled {
  std::int32_t id = 0;
  float logprob = 0;          ///< log-softmax(logits / temperature), untruncated; greedy: at temperature 1. Bit-equal
                              ///< to lm_head_forward's logprob_M for the same hidden row and temperature
  float sampler_logprob = 0;  ///< under the truncated distribution (greedy: 0)
};

/// Draws one id a row by inverse transform of uniform_B (in [0, 1)) over ids in ascending order.
/// logits_BV is float32; rules, uniforms and out have B elements. Error{data} names the row when its logits are NaN.
void sample(const at::Tensor& logits_BV, std::span<const SampleRule> rules, std::span<const double> uniform_B,
            std::span<Sampled> out_B);

/// What `sample` gives as logprob, of any id of a row: for tokens that were drawn from changed logits. NaN for logits
/// without a distribution.
float token_logprob(const float* logits, std::int64_t vocabulary, std::int32_t id, float temperature);

}  // namespace hone::kernels
