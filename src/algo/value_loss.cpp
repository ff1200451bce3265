#include "algo/value_loss.h"

#include <limits>

#include "algo/masked.h"
#include "base/error.h"

namespace hone {

ValueLoss value_loss(const at::Tensor& value_M, const at::Tensor& old_value_M, const at::Tensor& return_M,
                     const LossRows& rows, std::optional<double> clip) {
  HONE_ASSERT(value_M.sizes() == old_value_M.sizes() && value_M.sizes() == return_M.sizes());
  const auto target = return_M.detach(), old_value = old_value_M.detach();
  const auto plain = (value_M - target).square();
  if (!clip) return {rows.weighted_sum(plain / 2), 0};
  const auto near = old_value + (value_M - old_value).clamp(-*clip, *clip);
  const auto clipped = (near - target).square();
  const auto larger = clipped > plain;
  return {rows.weighted_sum(at::where(larger, clipped, plain) / 2), larger.sum().item<double>()};
}

double explained_variance(const at::Tensor& value_T, const at::Tensor& return_T, const at::Tensor& mask_T) {
  const double variance = masked_variance(return_T, mask_T, false);
  if (variance == 0) return std::numeric_limits<double>::quiet_NaN();
  return 1.0 - masked_variance(return_T.detach() - value_T.detach(), mask_T, false) / variance;
}

}  // namespace hone
