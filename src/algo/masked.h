#pragma once

#include <ATen/ATen.h>

/// Statistics over the elements that a mask counts. Values under mask 0 are never read, so a NaN there does no harm.
/// x and mask have the same shape; everything is summed in double precision. None of them carries a gradient.
namespace hone {

/// Σ mask·x / Σ mask; 0 when the mask counts nothing.
double masked_mean(const at::Tensor& x, const at::Tensor& mask);

/// Mean squared distance from the masked mean; `unbiased` divides by n - 1. 0 when fewer values are counted than the
/// divisor needs.
double masked_variance(const at::Tensor& x, const at::Tensor& mask, bool unbiased = true);

struct WhitenOptions {
  bool add_mean_back = false;  ///< change the scale only: rewards are whitened so
  bool unbiased = true;
  double epsilon = 1e-8;  ///< added to the variance
};

/// (x - mean) / √(variance + ε) [+ mean] where the mask counts, 0 elsewhere; the type and shape of x. Equal values give
/// 0 (their mean when it is added back). Source: openai/lm-human-preferences, core.whiten.
at::Tensor masked_whiten(const at::Tensor& x, const at::Tensor& mask, const WhitenOptions& options = {});

}  // namespace hone
