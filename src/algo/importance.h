#pragma once

#include <ATen/ATen.h>

#include <limits>

#include "algo/loss_rows.h"
#include "algo/policy_loss.h"

namespace hone {

/// Limits beyond which a sample says nothing about the policy that learns.
struct WeightBand {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
};

struct ImportanceOptions {
  RatioLevel level = RatioLevel::token;
  double cap = std::numeric_limits<double>::infinity();  ///< trades bias for variance
  WeightBand token;     ///< a weight outside counts as 0 ("IcePop", Ling team 2025)
  WeightBand sequence;  ///< a sequence whose geometric mean weight is outside counts as 0
};

/// Corrects for samples that come from another distribution than the recomputed old policy (a stale, quantised or
/// truncated sampler): min(exp(old_logprob - rollout_logprob), cap), by token or as one product a sequence (Ionides
/// 2008, "Truncated importance sampling"), and 0 outside the bands. No gradient; finite also where the sampler's
/// probability was 0 and a band leaves the row out.
at::Tensor importance_weights(const at::Tensor& old_logprob_M, const at::Tensor& rollout_logprob_M,
                              const LossRows& rows, const ImportanceOptions& options = {});

/// 1, and 0 at the rows with a negative advantage in sequences that the policy has left: the mean over the sequence of
/// rollout_logprob - logprob is above `threshold` nats a token ("off-policy sequence masking", DeepSeek-V3.2 2025).
at::Tensor stale_mask(const at::Tensor& logprob_M, const at::Tensor& rollout_logprob_M, const at::Tensor& advantage_M,
                      const LossRows& rows, double threshold);

}  // namespace hone
