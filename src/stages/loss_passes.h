#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "algo/batch.h"
#include "stages/rl_config.h"

namespace hone {

/// One forward and backward pass of an optimizer step: the passes' losses add up to the step's.
struct LossPass {
  std::vector<std::int64_t> sequences;  ///< of the minibatch
  double denominator = 0;               ///< as in loss_rows
};

/// Cuts a minibatch into passes of at most config.tokens_per_pass tokens. mask_T: the rows that the loss counts.
/// However it is cut, the loss is a mean over the whole minibatch; with compat.micro_batch n it is the mean over runs
/// of n episodes of each run's own mean. Empty when no row counts.
std::vector<LossPass> loss_passes(const RlConfig& config, const Batch& minibatch, const at::Tensor& mask_T);

}  // namespace hone
