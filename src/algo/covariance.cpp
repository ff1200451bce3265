#include "algo/covariance.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "algo/batch.h"
#include "algo/masked.h"
#include "base/error.h"

namespace hone {

at::Tensor token_covariance(const at::Tensor& logprob_T, const at::Tensor& advantage_T, const at::Tensor& mask_T) {
  HONE_ASSERT(logprob_T.sizes() == mask_T.sizes() && advantage_T.sizes() == mask_T.sizes());
  const auto centred = [&](const at::Tensor& x) { return x.detach().to(at::kDouble) - masked_mean(x, mask_T); };
  return at::where(mask_T != 0, centred(logprob_T) * centred(advantage_T), at::zeros({}, at::kDouble));
}

at::Tensor covariance_rows(const at::Tensor& covariance_T, const at::Tensor& mask_T, const CovarianceOptions& options,
                           Random& random) {
  HONE_ASSERT(covariance_T.sizes() == mask_T.sizes());
  const auto counted = mask_T.count_nonzero().item<std::int64_t>();
  if (options.control == CovarianceControl::off || counted == 0) return at::empty({0}, at::kLong);
  const auto wanted = std::max<std::int64_t>(1, static_cast<std::int64_t>(options.share * static_cast<double>(counted)));
  auto candidate = mask_T != 0;
  if (options.control == CovarianceControl::kl) {
    const auto ranked = covariance_T.masked_fill(candidate.logical_not(), -std::numeric_limits<double>::infinity());
    return std::get<0>(std::get<1>(ranked.topk(wanted)).sort());
  }
  candidate = candidate.logical_and(covariance_T > options.low).logical_and(covariance_T < options.high);
  const auto index = candidate.nonzero().view({-1}).contiguous();
  std::vector<std::int64_t> rows(index.const_data_ptr<std::int64_t>(),
                                 index.const_data_ptr<std::int64_t>() + index.numel());
  random.shuffle(rows);
  rows.resize(std::min(rows.size(), static_cast<std::size_t>(wanted)));
  std::sort(rows.begin(), rows.end());
  return stream_tensor(rows, at::kLong);
}

}  // namespace hone
