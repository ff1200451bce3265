#include "kernels/norm/norm.h"

#include "kernels/norm/norm_cpu.h"
#include "kernels/norm/row_gradients.h"

namespace hone::kernels {

namespace {

constexpr std::int64_t forward_grain = 8;

}  // namespace

RmsNorm rms_norm_forward(const at::Tensor& x_TD, const at::Tensor& residual_TD, const at::Tensor& weight_D, double eps,
                         double weight_offset) {
  HONE_ASSERT(x_TD.dim() == 2);
  const std::int64_t rows = x_TD.size(0);
  const std::int64_t width = x_TD.size(1);
  check_norm_floats(x_TD, {rows, width});
  check_norm_floats(weight_D, {width});
  if (residual_TD.defined()) check_norm_floats(residual_TD, {rows, width});

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
    kernel(x + offset, residual == nullptr ? nullptr : residual + offset, weight, static_cast<float>(weight_offset),
           static_cast<float>(eps), end - begin, width, sum == nullptr ? nullptr : sum + offset, out + offset,
           rstd + begin);
  });
  return result;
}

at::Tensor rms_norm_backward(const at::Tensor& dout_TD, const at::Tensor& dsum_extra_TD, const RmsNorm& forward,
                             const at::Tensor& weight_D, at::Tensor& dweight_D, double weight_offset) {
  const std::int64_t rows = forward.sum_TD.size(0);
  const std::int64_t width = forward.sum_TD.size(1);
  check_norm_floats(dout_TD, {rows, width});
  check_norm_floats(forward.sum_TD, {rows, width});
  check_norm_floats(forward.rstd_T, {rows});
  check_norm_floats(weight_D, {width});
  if (dsum_extra_TD.defined()) check_norm_floats(dsum_extra_TD, {rows, width});

  at::Tensor dsum_TD = at::empty({rows, width}, at::kFloat);
  RowGradient dweight(dweight_D, rows, width);
  const float* dout = dout_TD.const_data_ptr<float>();
  const float* extra = data_or_null(dsum_extra_TD);
  const float* sum = forward.sum_TD.const_data_ptr<float>();
  const float* rstd = forward.rstd_T.const_data_ptr<float>();
  const float* weight = weight_D.const_data_ptr<float>();
  float* dsum = dsum_TD.data_ptr<float>();
  const auto kernel = HONE_SELECT(rms_norm_backward_rows);
  for_each_row_chunk(rows, [&](std::int64_t chunk, std::int64_t first, std::int64_t count) {
    const std::int64_t offset = first * width;
    kernel(dout + offset, extra == nullptr ? nullptr : extra + offset, sum + offset, rstd + first, weight,
           static_cast<float>(weight_offset), count, width, dsum + offset, dweight.chunk(chunk));
  });
  dweight.finish();
  return dsum_TD;
}

}  // namespace hone::kernels
