#include "algo/kl.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hone {
namespace {

at::Tensor clamped(const at::Tensor& x, double bound) { return std::isfinite(bound) ? x.clamp(-bound, bound) : x; }

}  // namespace

at::Tensor kl_estimate(const at::Tensor& logprob, const at::Tensor& ref_logprob, KlEstimator estimator,
                       const KlClamp& clamp) {
  HONE_ASSERT(logprob.sizes() == ref_logprob.sizes());
  const auto difference = clamped(logprob - ref_logprob.detach(), clamp.difference);
  switch (estimator) {
    case KlEstimator::k1: return clamped(difference, clamp.estimate);
    case KlEstimator::k2: return clamped(difference.square() / 2, clamp.estimate);
    case KlEstimator::k3: break;
  }
  return clamped(at::expm1(-difference) + difference, clamp.estimate);
}

at::Tensor kl_loss(const at::Tensor& logprob_M, const at::Tensor& ref_logprob_M, KlEstimator estimator,
                   const LossRows& rows, const at::Tensor& factor_M, const KlClamp& clamp) {
  if (estimator == KlEstimator::k1) {
    fail(ErrorKind::config,
         "k1 as a loss has an expected gradient of zero: it would not hold the policy near the reference; use k2 (the "
         "gradient of the reverse KL) or k3 in the loss, or put k1 in the reward");
  }
  const auto estimate = kl_estimate(logprob_M, ref_logprob_M, estimator, clamp);
  return rows.weighted_sum(factor_M.defined() ? estimate * factor_M : estimate);
}

KlController KlController::adaptive(double coefficient, double target, double horizon) {
  HONE_ASSERT(target > 0 && horizon > 0);
  return KlController(coefficient, target, horizon);
}

void KlController::update(double kl, std::int64_t episodes) {
  if (horizon_ == 0 || !std::isfinite(kl)) return;
  const double error = std::clamp(kl / target_ - 1.0, -0.2, 0.2);
  coefficient_ *= 1.0 + error * static_cast<double>(episodes) / horizon_;
}

}  // namespace hone
