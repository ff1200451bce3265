#pragma once

#include <ATen/ATen.h>

#include "kernels/linear/linear.h"

/// The language-model head fused with log-softmax, gather and entropy. Logits exist for a chunk of rows at a time; the
/// [M, V] matrix is never stored.
namespace hone::kernels {

struct TokenStatistics {
  at::Tensor logprob_M;  ///< log-softmax(logits / temperature)[target], float32
  at::Tensor entropy_M;  ///< of the same distribution, nats; undefined unless asked for
  at::Tensor lse_M;      ///< log-sum-exp of logits / temperature: saved for backward
};

/// target_M is int64 within [0, V). inverse_temperature > 0.
TokenStatistics lm_head_forward(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                                double inverse_temperature, bool with_entropy);

/// Gradient of sum(dlogprob·logprob + dentropy·entropy). dentropy_M may be undefined. Adds to dweight_VD when defined
/// and returns dhidden_MD.
at::Tensor lm_head_backward(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                            double inverse_temperature, const TokenStatistics& forward, const at::Tensor& dlogprob_M,
                            const at::Tensor& dentropy_M, at::Tensor& dweight_VD);

/// Plain logits_MV, for sampling a few rows.
at::Tensor lm_head_logits(const at::Tensor& hidden_MD, const PackedWeight& weight);

}  // namespace hone::kernels
