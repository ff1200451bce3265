#include "stages/loss_passes.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "algo/loss_rows.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

/// What the losses of these sequences are divided by when they make up a mean of their own.
double denominator_of(const RlConfig& config, const Batch& minibatch, const at::Tensor& mask_T,
                      std::span<const std::int64_t> sequences) {
  const at::Tensor index_K = stream_tensor(std::vector<std::int64_t>(sequences.begin(), sequences.end()), at::kLong);
  const at::Tensor chosen_S = at::zeros({minibatch.sequences()}, mask_T.options()).index_fill_(0, index_K, 1);
  const at::Tensor chosen_T = chosen_S.index_select(0, sequence_of_rows(minibatch.start_S1));
  return loss_denominator(config.aggregation, minibatch.start_S1, mask_T * chosen_T, config.length_constant());
}

}  // namespace

std::vector<LossPass> loss_passes(const RlConfig& config, std::int64_t tokens_per_pass, const Batch& minibatch,
                                  const at::Tensor& mask_T) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(minibatch.sequences()));
  std::iota(all.begin(), all.end(), 0);
  const std::size_t mean_of =
      config.compat.micro_batch == 0 ? all.size() : static_cast<std::size_t>(config.compat.micro_batch);
  std::vector<LossPass> passes;
  double means = 0;
  for (std::size_t begin = 0; begin < all.size(); begin += mean_of) {
    const auto sequences = std::span<const std::int64_t>(all).subspan(begin, std::min(mean_of, all.size() - begin));
    const double denominator = denominator_of(config, minibatch, mask_T, sequences);
    if (denominator == 0) continue;
    ++means;
    for (const auto& cut : cut_by_tokens(minibatch, sequences, tokens_per_pass))
      passes.push_back({cut, denominator});
  }
  for (LossPass& pass : passes) pass.denominator *= means;
  return passes;
}

PassNeeds pass_needs(const RlConfig& config, const PolicyShape& shape) {
  const std::int64_t longest = std::min(config.sampling.max_tokens, shape.context);
  const std::int64_t pages = (longest + kernels::kv_page - 1) / kernels::kv_page + 1;
  const std::int64_t cache =
      std::min(config.episodes(), config.engine.slots) * pages * KvCache::page_bytes(shape.layers, shape.attention);
  return {.longest = longest, .later = std::min(cache, config.engine.kv_memory.count)};
}

}  // namespace hone
