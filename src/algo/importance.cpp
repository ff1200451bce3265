#include "algo/importance.h"

#include "base/error.h"

namespace hone {
namespace {

at::Tensor outside(const at::Tensor& weight, const WeightBand& band) {
  return (weight < band.low).logical_or(weight > band.high);
}

}  // namespace

at::Tensor importance_weights(const at::Tensor& old_logprob_M, const at::Tensor& rollout_logprob_M,
                              const LossRows& rows, const ImportanceOptions& options) {
  HONE_ASSERT(old_logprob_M.sizes() == rollout_logprob_M.sizes() && options.cap > 0);
  const auto difference = (old_logprob_M - rollout_logprob_M).detach();
  const auto token = difference.exp();
  const auto weight = options.level == RatioLevel::token ? token : rows.sequence_sum(difference).exp();
  const auto left_out =
      outside(token, options.token).logical_or(outside(rows.sequence_mean(difference).exp(), options.sequence));
  return weight.clamp_max(options.cap).masked_fill(left_out, 0);
}

at::Tensor stale_mask(const at::Tensor& logprob_M, const at::Tensor& rollout_logprob_M, const at::Tensor& advantage_M,
                      const LossRows& rows, double threshold) {
  HONE_ASSERT(logprob_M.sizes() == rollout_logprob_M.sizes() && logprob_M.sizes() == advantage_M.sizes());
  const auto drift = rows.sequence_mean((rollout_logprob_M - logprob_M).detach());
  return (advantage_M >= 0).logical_or(drift <= threshold).to(logprob_M.scalar_type());
}

}  // namespace hone
