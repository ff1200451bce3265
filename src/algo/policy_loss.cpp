#include "algo/policy_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace hone {
namespace {

PolicyMetrics measure(const at::Tensor& log_ratio, const at::Tensor& advantage, const PolicyLossOptions& options) {
  PolicyMetrics metrics;
  metrics.rows = static_cast<double>(log_ratio.size(0));
  if (metrics.rows == 0) return metrics;
  const auto difference = log_ratio.detach().to(at::kDouble);
  const auto ratio = difference.exp();
  metrics.ratio_sum = ratio.sum().item<double>();
  metrics.ratio_max = ratio.max().item<double>();
  metrics.kl_sum = (difference.expm1() - difference).sum().item<double>();
  const auto low = (advantage < 0).logical_and(ratio < 1 - options.clip_low);
  const auto high = (advantage > 0).logical_and(ratio > 1 + options.clip_high);
  metrics.clipped_low = low.sum().item<double>();
  metrics.clipped_high = high.sum().item<double>();
  return metrics;
}

/// The pessimistic bound as a clamp whose limits depend on the sign of the advantage, taken of the logarithm: where the
/// clamp acts, exp never sees the large value, so its gradient is 0 and not 0·inf.
at::Tensor surrogate(const at::Tensor& log_ratio, const at::Tensor& advantage, const PolicyLossOptions& options) {
  constexpr double none = std::numeric_limits<double>::infinity();
  const auto zero = at::zeros_like(advantage);
  const double ceiling = options.dual_clip > 0 ? std::log(options.dual_clip) : none;
  const auto low = at::where(advantage < 0, zero + std::log(1 - options.clip_low), zero - none);
  const auto high = at::where(advantage > 0, zero + std::log(1 + options.clip_high), zero + ceiling);
  return -advantage * log_ratio.clamp(low, high).exp();
}

at::Tensor detached(const at::Tensor& logprob, const at::Tensor& log_ratio, const at::Tensor& advantage,
                    const PolicyLossOptions& options) {
  const auto factor = log_ratio.detach().exp().clamp(1 - options.clip_low, 1 + options.clip_high);
  return -advantage * factor * logprob;
}

at::Tensor soft(const at::Tensor& log_ratio, const at::Tensor& advantage) {
  constexpr double largest = 20;  // e^20: beyond it the sigmoid is 1, and the exponential of its gradient overflows
  const auto temperature = at::where(advantage > 0, at::ones_like(advantage), at::full_like(advantage, 1.05));
  const auto ratio = log_ratio.clamp_max(largest).exp();
  return -advantage * at::sigmoid(temperature * (ratio - 1)) * 4 / temperature;
}

at::Tensor loss_by_row(const at::Tensor& logprob, const at::Tensor& log_ratio, const at::Tensor& advantage,
                       const PolicyLossOptions& options) {
  switch (options.clip) {
    case ClipKind::surrogate: return surrogate(log_ratio, advantage, options);
    case ClipKind::detached: return detached(logprob, log_ratio, advantage, options);
    case ClipKind::soft: break;
  }
  return soft(log_ratio, advantage);
}

}  // namespace

void PolicyMetrics::add(const PolicyMetrics& other) {
  rows += other.rows;
  ratio_sum += other.ratio_sum;
  ratio_max = std::max(ratio_max, other.ratio_max);
  kl_sum += other.kl_sum;
  clipped_low += other.clipped_low;
  clipped_high += other.clipped_high;
}

PolicyLoss policy_loss(const at::Tensor& logprob_M, const at::Tensor& old_logprob_M, const at::Tensor& advantage_M,
                       const at::Tensor& importance_M, const LossRows& rows, const PolicyLossOptions& options) {
  HONE_ASSERT(logprob_M.sizes() == rows.index_M.sizes() && old_logprob_M.sizes() == logprob_M.sizes() &&
              advantage_M.sizes() == logprob_M.sizes());
  HONE_ASSERT(options.clip_low >= 0 && options.clip_low <= 1 && options.clip_high >= 0);
  HONE_ASSERT(options.dual_clip == 0 || options.dual_clip > 1);
  auto log_ratio = logprob_M - old_logprob_M.detach();
  if (options.ratio == RatioLevel::sequence) log_ratio = rows.sequence_mean(log_ratio);
  const auto advantage = advantage_M.detach();
  auto loss_M = loss_by_row(logprob_M, log_ratio, advantage, options);
  if (importance_M.defined()) loss_M = loss_M * importance_M.detach();
  return {rows.weighted_sum(loss_M), measure(log_ratio, advantage, options)};
}

}  // namespace hone
