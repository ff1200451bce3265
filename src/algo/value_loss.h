#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "algo/loss_rows.h"

namespace hone {

struct ValueLoss {
  at::Tensor loss;     ///< float64 scalar, carries the gradient of value_M
  double clipped = 0;  ///< rows where the clipped error is the larger one
};

/// The critic's regression, clipped around its value at collection (openai/baselines, ppo2):
///     ½·max((V - R)², (V_old + clip(V - V_old, ±c) - R)²), weighted by `rows`
/// Without `clip` (c) it is ½·(V - R)².
ValueLoss value_loss(const at::Tensor& value_M, const at::Tensor& old_value_M, const at::Tensor& return_M,
                     const LossRows& rows, std::optional<double> clip);

/// 1 - variance(return - value) / variance(return) over the rows that the mask counts; NaN when all returns are equal.
double explained_variance(const at::Tensor& value_T, const at::Tensor& return_T, const at::Tensor& mask_T);

}  // namespace hone
