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

/// What makes logits of hidden · Wᵀ: a bias, then soft_cap · tanh(logit / soft_cap) (Gemma 2). Temperature comes after.
struct LogitRule {
  at::Tensor bias_V;    ///< undefined: none
  double soft_cap = 0;  ///< 0: none
};

/// target_M is int64 within [0, V). inverse_temperature > 0.
TokenStatistics lm_head_forward(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                                double inverse_temperature, bool with_entropy, const LogitRule& rule = {});

/// Gradient of sum(dlogprob·logprob + dentropy·entropy). dentropy_M may be undefined. Adds to dweight_VD when defined
/// and to *dbias_V when given, and returns dhidden_MD. `rule` is the forward pass's.
at::Tensor lm_head_backward(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                            double inverse_temperature, const TokenStatistics& forward, const at::Tensor& dlogprob_M,
                            const at::Tensor& dentropy_M, at::Tensor& dweight_VD, const LogitRule& rule = {},
                            at::Tensor* dbias_V = nullptr);

/// Plain logits_MV, before temperature, for sampling a few rows.
at::Tensor lm_head_logits(const at::Tensor& hidden_MD, const PackedWeight& weight, const LogitRule& rule = {});

}  // namespace hone::kernels
