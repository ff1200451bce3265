#include "algo/masked.h"

#include <cmath>

#include "base/error.h"

namespace hone {
namespace {

at::Tensor counted(const at::Tensor& x, const at::Tensor& mask) {
  HONE_ASSERT(x.sizes() == mask.sizes());
  return x.detach().to(at::kDouble).masked_select(mask != 0);
}

struct Moments {
  double mean = 0;
  double variance = 0;
};

Moments moments(const at::Tensor& values, bool unbiased) {
  const auto count = values.numel();
  const auto divisor = unbiased ? count - 1 : count;
  Moments result;
  if (count > 0) result.mean = values.mean().item<double>();
  if (divisor > 0)
    result.variance = (values - result.mean).square().sum().item<double>() / static_cast<double>(divisor);
  return result;
}

}  // namespace

double masked_mean(const at::Tensor& x, const at::Tensor& mask) { return moments(counted(x, mask), false).mean; }

double masked_variance(const at::Tensor& x, const at::Tensor& mask, bool unbiased) {
  return moments(counted(x, mask), unbiased).variance;
}

at::Tensor masked_whiten(const at::Tensor& x, const at::Tensor& mask, const WhitenOptions& options) {
  const auto values = counted(x, mask);
  const auto [mean, variance] = moments(values, options.unbiased);
  const auto white = (values - mean) / std::sqrt(variance + options.epsilon) + (options.add_mean_back ? mean : 0.0);
  return at::zeros_like(x.detach()).masked_scatter(mask != 0, white.to(x.scalar_type()));
}

}  // namespace hone
