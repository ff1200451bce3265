#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "algo/loss_rows.h"

/// Divergence of the policy from the reference, from the log-probabilities of sampled tokens (Schulman 2020,
/// "Approximating KL divergence"). With d = logprob - ref_logprob:
///     k1 = d          unbiased; the one for a penalty in the reward
///     k2 = d²/2       its gradient is that of the reverse KL; the one for a penalty in the loss
///     k3 = expm1(-d) + d   unbiased, never negative; the one to watch. Its plain gradient is *not* that of the reverse
///                     KL, unless it is multiplied by the ratio
namespace hone {

enum class KlEstimator { k1, k2, k3 };
inline constexpr std::array<std::string_view, 3> kl_estimator_names = {"k1", "k2", "k3"};

/// Bounds of d and of the estimate. Outside them there is no gradient, so they are off unless a run asks for them.
struct KlClamp {
  double difference = std::numeric_limits<double>::infinity();
  double estimate = std::numeric_limits<double>::infinity();
};

/// Estimate for each token; any shape, carries the gradient of logprob. expm1 keeps k3 exact for small d, where
/// exp(-d) - 1 + d goes negative in float32.
at::Tensor kl_estimate(const at::Tensor& logprob, const at::Tensor& ref_logprob, KlEstimator estimator,
                       const KlClamp& clamp = {});

/// The penalty as a loss: Σ weight·factor·estimate, float64. factor_M (undefined: 1) is the importance ratio of stale
/// samples; passed with its gradient it gives k3 the gradient of the reverse KL too.
/// Error{config} for k1, whose expected gradient is zero.
at::Tensor kl_loss(const at::Tensor& logprob_M, const at::Tensor& ref_logprob_M, KlEstimator estimator,
                   const LossRows& rows, const at::Tensor& factor_M = {}, const KlClamp& clamp = {});

/// The coefficient of the penalty. Fixed, or adaptive (Ziegler et al. 2019, section 2.2): after each batch of n
/// episodes
///     β ← β·(1 + clip(kl/target - 1, ±0.2)·n/horizon)
/// with kl the mean over episodes of the sum over tokens, in nats. Its only state is the coefficient.
class KlController {
 public:
  static KlController fixed(double coefficient) { return KlController(coefficient, 0, 0); }
  /// target and horizon (in episodes) are positive.
  static KlController adaptive(double coefficient, double target, double horizon);

  double coefficient() const { return coefficient_; }
  void set_coefficient(double coefficient) { coefficient_ = coefficient; }  ///< from a checkpoint
  /// A kl that is not finite changes nothing.
  void update(double kl, std::int64_t episodes);

 private:
  KlController(double coefficient, double target, double horizon)
      : coefficient_(coefficient), target_(target), horizon_(horizon) {}
  double coefficient_, target_, horizon_;  ///< horizon 0: fixed
};

}  // namespace hone
