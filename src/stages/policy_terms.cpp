#include "stages/policy_terms.h"

#include "algo/importance.h"
#include "algo/kl.h"

namespace hone {

namespace {

/// Constant factors of the rows' losses; undefined: all 1.
at::Tensor importance_of(const RlConfig& config, const Batch& micro, const LossRows& rows, const at::Tensor& logprob_M,
                         UpdateMetrics& metrics) {
  const at::Tensor rollout_logprob_M = rows.select(micro.rollout_logprob_T);
  at::Tensor weight_M;
  if (config.corrects()) {
    weight_M =
        importance_weights(rows.select(micro.old_logprob_T), rollout_logprob_M, rows, config.importance.options());
  }
  if (config.importance.stale_above) {
    const at::Tensor kept_M = stale_mask(logprob_M, rollout_logprob_M, rows.select(micro.advantage_T), rows,
                                         *config.importance.stale_above);
    weight_M = weight_M.defined() ? weight_M * kept_M : kept_M;
  }
  if (weight_M.defined()) {
    metrics.importance_sum += weight_M.sum().item<double>();
    metrics.left_out += (weight_M == 0).sum().item<double>();
  }
  return weight_M;
}

/// Of the reference.
at::Tensor divergence(const RlConfig& config, const Batch& micro, const LossRows& rows, const at::Tensor& logprob_M) {
  at::Tensor factor_M;
  if (config.kl.ratio_weighted) factor_M = (logprob_M - rows.select(micro.old_logprob_T)).exp();
  return kl_loss(logprob_M, rows.select(micro.ref_logprob_T), config.kl.estimator, rows, factor_M);
}

}  // namespace

at::Tensor policy_terms(const RlConfig& config, const TermWeights& weights, const Batch& micro, const LossRows& rows,
                        const kernels::TokenStatistics& tokens, UpdateMetrics& metrics, PolicyMetrics& policy) {
  const at::Tensor old_logprob_M = rows.select(micro.old_logprob_T);
  const at::Tensor importance_M = importance_of(config, micro, rows, tokens.logprob_M, metrics);
  const PolicyLoss clipped = policy_loss(tokens.logprob_M, old_logprob_M, rows.select(micro.advantage_T), importance_M,
                                         rows, config.policy_loss_options());
  policy.add(clipped.metrics);
  at::Tensor loss = clipped.loss;
  if (weights.entropy > 0) loss = loss - weights.entropy * rows.weighted_sum(tokens.entropy_M);
  if (config.kl.place == KlPlace::loss) {
    const at::Tensor penalty = divergence(config, micro, rows, tokens.logprob_M);
    metrics.kl_loss += penalty.item<double>();
    loss = loss + weights.kl * penalty;
  }
  if (micro.anchor_T.defined()) {
    loss = loss + rows.weighted_sum(rows.select(micro.anchor_T) * (tokens.logprob_M - old_logprob_M).abs());
  }
  metrics.entropy_sum += tokens.entropy_M.sum().item<double>();
  metrics.rows += rows.size();
  return loss;
}

}  // namespace hone
