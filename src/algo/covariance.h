#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "base/random.h"

/// Control of entropy by the covariance of log-probability and advantage (Cui et al. 2025, "The entropy mechanism of
/// reinforcement learning for reasoning language models"): the few tokens that are both likely and rewarded are what
/// makes a policy certain.
namespace hone {

/// clip: some tokens of high covariance teach nothing. kl: those of the highest are held near the old policy.
enum class CovarianceControl { off, clip, kl };
inline constexpr std::array<std::string_view, 3> covariance_control_names = {"off", "clip", "kl"};

struct CovarianceOptions {
  CovarianceControl control = CovarianceControl::off;
  double share = 2e-4;  ///< of the counted tokens, at least one
  double low = 1, high = 5;  ///< clip: the covariances among which it draws
  double coefficient = 1;    ///< kl: what |logprob - old_logprob| costs
};

/// (logprob - mean)·(advantage - mean), with the means over the rows that the mask counts; 0 elsewhere. No gradient.
at::Tensor token_covariance(const at::Tensor& logprob_T, const at::Tensor& advantage_T, const at::Tensor& mask_T);

/// The rows that clip (a random `share` between `low` and `high`) or kl (the `share` with the largest covariance)
/// picks: int64, ascending. Without control, or where no token counts, none.
at::Tensor covariance_rows(const at::Tensor& covariance_T, const at::Tensor& mask_T, const CovarianceOptions& options,
                           Random& random);

}  // namespace hone
