#pragma once

#include <ATen/ATen.h>

#include "algo/batch.h"
#include "algo/loss_rows.h"
#include "kernels/lm_head/lm_head.h"
#include "stages/rl_config.h"
#include "stages/rl_metrics.h"

namespace hone {

/// What the terms beside the clipped loss weigh now.
struct TermWeights {
  double kl = 0;
  double entropy = 0;
};

/// The policy's part of the loss of one forward pass, and what is reported about it: the clipped loss with its
/// corrections, the entropy bonus, the divergence from the reference, what holds rows near the old policy. `tokens` are
/// the statistics of the counted rows.
at::Tensor policy_terms(const RlConfig& config, const TermWeights& weights, const Batch& micro, const LossRows& rows,
                        const kernels::TokenStatistics& tokens, UpdateMetrics& metrics, PolicyMetrics& policy);

}  // namespace hone
