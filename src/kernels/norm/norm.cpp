#include "kernels/norm/norm.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/norm/norm_cpu.h"

namespace hone::kernels {

namespace {

// Rows that one partial weight gradient sums. Partials are added in order, so no thread count changes the result.
constexpr std::int64_t chunk_rows = 64;
constexpr std::int64_t forward_grain = 8;

void check_floats(const at::Tensor& tensor, at::IntArrayRef sizes) {
  HONE_ASSERT(tensor.scalar_type() == at::kFloat && tensor.is_contiguous() && tensor.device().is_cpu());
  HONE_ASSERT(tensor.sizes() == sizes);
}

const float* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

void add_partials(const at::Tensor& partial_CD, at::Tensor& dweight_D) {
  const std::int64_t chunks = partial_CD.size(0);
  const std::int64_t width = partial_CD.size(1);
  const float* partial = partial_CD.const_data_ptr<float>();
  float* dweight = dweight_D.data_ptr<float>();
  for (std::int64_t c = 0; c < chunks; ++c) {
    for (std::int64_t i = 0; i < width; ++i) dweight[i] += partial[c * width + i];
  }
}

}  // namespace

RmsNorm rms_norm_forward(const at::Tensor& x_TD, const at::Tensor& residual_TD, const at::Tensor& weight_D,
                         double eps) {
  HONE_ASSERT(x_TD.dim() == 2);
  const std::int64_t rows = x_TD.size(0);
  const std::int64_t width = x_TD.size(1);
  check_floats(x_TD, {rows, width});
  check_floats(weight_D, {width});
  if (residual_TD.defined()) check_floats(residual_TD, {rows, width});

  RmsNorm result;
  result.sum_TD = residual_TD.defined() ? at::empty({rows, width}, at::kFloat) : x_TD;
  result.out_TD = at::empty({rows, width}, at::kFloat);
  result.rstd_T = at::empty({rows}, at::kFloat);
  const float* x = x_TD.const_data_ptr<float>();
  const float* residual = data_or_null(residual_TD);
  const float* weight = weight_D.const_data_ptr<float>();
  float* sum = residual == nullptr ? nullptr : result.sum_TD.data_ptr<float>();
  float* out = result.out_TD.data_ptr<float>();
  float* rstd = result.rstd_T.data_ptr<float>();
  const auto kernel = HONE_SELECT(rms_norm_rows);
  parallel_for(rows, forward_grain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t offset = begin * width;
    kernel(x + offset, residual == nullptr ? nullptr : residual + offset, weight, static_cast<float>(eps), end - begin,
           width, sum == nullptr ? nullptr : sum + offset, out + offset, rstd + begin);
  });
  return result;
}

at::Tensor rms_norm_backward(const at::Tensor& dout_TD, const at::Tensor& dsum_extra_TD, const RmsNorm& forward,
                             const at::Tensor& weight_D, at::Tensor& dweight_D) {
  const std::int64_t rows = forward.sum_TD.size(0);
  const std::int64_t width = forward.sum_TD.size(1);
  check_floats(dout_TD, {rows, width});
  check_floats(forward.sum_TD, {rows, width});
  check_floats(forward.rstd_T, {rows});
  check_floats(weight_D, {width});
  if (dsum_extra_TD.defined()) check_floats(dsum_extra_TD, {rows, width});
  if (dweight_D.defined()) check_floats(dweight_D, {width});

  at::Tensor dsum_TD = at::empty({rows, width}, at::kFloat);
  const std::int64_t chunks = (rows + chunk_rows - 1) / chunk_rows;
  const at::Tensor partial_CD = dweight_D.defined() ? at::zeros({chunks, width}, at::kFloat) : at::Tensor();
  const float* dout = dout_TD.const_data_ptr<float>();
  const float* extra = data_or_null(dsum_extra_TD);
  const float* sum = forward.sum_TD.const_data_ptr<float>();
  const float* rstd = forward.rstd_T.const_data_ptr<float>();
  const float* weight = weight_D.const_data_ptr<float>();
  float* dsum = dsum_TD.data_ptr<float>();
  float* partial = partial_CD.defined() ? partial_CD.data_ptr<float>() : nullptr;
  const auto kernel = HONE_SELECT(rms_norm_backward_rows);
  parallel_for(chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      const std::int64_t first = c * chunk_rows;
      const std::int64_t offset = first * width;
      kernel(dout + offset, extra == nullptr ? nullptr : extra + offset, sum + offset, rstd + first, weight,
             std::min(chunk_rows, rows - first), width, dsum + offset,
             partial == nullptr ? nullptr : partial + c * width);
    }
  });
  if (partial != nullptr) add_partials(partial_CD, dweight_D);
  return dsum_TD;
}

}  // namespace hone::kernels
