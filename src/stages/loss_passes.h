#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "algo/batch.h"
#include "nn/policy.h"
#include "stages/rl_config.h"

namespace hone {

/// One forward and backward pass of an optimizer step: the passes' losses add up to the step's.
struct LossPass {
  std::vector<std::int64_t> sequences;  ///< of the minibatch
  double denominator = 0;               ///< as in loss_rows
};

/// Cuts a minibatch into passes of at most `tokens_per_pass` tokens. mask_T: the rows that the loss counts.
/// However it is cut, the loss is a mean over the whole minibatch; with compat.micro_batch n it is the mean over runs
/// of n episodes of each run's own mean. Empty when no row counts.
std::vector<LossPass> loss_passes(const RlConfig& config, std::int64_t tokens_per_pass, const Batch& minibatch,
                                  const at::Tensor& mask_T);

/// Needs of a stage whose policy has this shape; `later` is the cache of keys and values alone. The longest row is taken to
/// be the longest completion: prompts are not known.
PassNeeds pass_needs(const RlConfig& config, const PolicyShape& shape);

}  // namespace hone
