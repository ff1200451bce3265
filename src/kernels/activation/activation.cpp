#include "kernels/activation/activation.h"

#include "base/error.h"
#include "base/threads.h"
#include "kernels/activation/activation_cpu.h"
#include "kernels/activation/gated_gradient.h"

namespace hone::kernels {

namespace {

constexpr std::int64_t grain_rows = 8;

void check_floats(const at::Tensor& tensor) {
  HONE_ASSERT(tensor.dim() == 2 && tensor.scalar_type() == at::kFloat && tensor.is_contiguous() &&
              tensor.device().is_cpu());
}

}  // namespace

at::Tensor activation_forward(const at::Tensor& x_TF, Activation activation) {
  check_floats(x_TF);
  const std::int64_t width = x_TF.size(1);
  at::Tensor out_TF = at::empty(x_TF.sizes(), at::kFloat);
  const float* x = x_TF.const_data_ptr<float>();
  float* out = out_TF.data_ptr<float>();
  const auto kernel = HONE_SELECT(activation_values);
  parallel_for(x_TF.size(0), grain_rows, [&](std::int64_t begin, std::int64_t end) {
    kernel(activation, x + begin * width, (end - begin) * width, out + begin * width);
  });
  return out_TF;
}

at::Tensor activation_backward(const at::Tensor& dout_TF, const at::Tensor& x_TF, Activation activation) {
  check_floats(dout_TF);
  check_floats(x_TF);
  HONE_ASSERT(dout_TF.sizes() == x_TF.sizes());
  const std::int64_t width = x_TF.size(1);
  at::Tensor dx_TF = at::empty(x_TF.sizes(), at::kFloat);
  const float* dout = dout_TF.const_data_ptr<float>();
  const float* x = x_TF.const_data_ptr<float>();
  float* dx = dx_TF.data_ptr<float>();
  const auto kernel = HONE_SELECT(activation_gradients);
  parallel_for(x_TF.size(0), grain_rows, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t offset = begin * width;
    kernel(activation, dout + offset, x + offset, (end - begin) * width, dx + offset);
  });
  return dx_TF;
}

at::Tensor gated_forward(const at::Tensor& gate_up_T2F, Activation activation) {
  check_floats(gate_up_T2F);
  HONE_ASSERT(gate_up_T2F.size(1) % 2 == 0);
  const std::int64_t rows = gate_up_T2F.size(0);
  const std::int64_t width = gate_up_T2F.size(1) / 2;
  at::Tensor out_TF = at::empty({rows, width}, at::kFloat);
  const float* gate_up = gate_up_T2F.const_data_ptr<float>();
  float* out = out_TF.data_ptr<float>();
  const auto kernel = HONE_SELECT(gated_rows);
  parallel_for(rows, grain_rows, [&](std::int64_t begin, std::int64_t end) {
    kernel(activation, gate_up + begin * 2 * width, end - begin, width, out + begin * width);
  });
  return out_TF;
}

namespace {

/// `out` may be null.
at::Tensor gated_gradient(const at::Tensor& dout_TF, const at::Tensor& gate_up_T2F, Activation activation, float* out) {
  check_floats(dout_TF);
  check_floats(gate_up_T2F);
  const std::int64_t rows = dout_TF.size(0);
  const std::int64_t width = dout_TF.size(1);
  HONE_ASSERT(gate_up_T2F.size(0) == rows && gate_up_T2F.size(1) == 2 * width);
  at::Tensor dgate_up_T2F = at::empty({rows, 2 * width}, at::kFloat);
  const float* dout = dout_TF.const_data_ptr<float>();
  const float* gate_up = gate_up_T2F.const_data_ptr<float>();
  float* dgate_up = dgate_up_T2F.data_ptr<float>();
  const auto kernel = HONE_SELECT(gated_backward_rows);
  parallel_for(rows, grain_rows, [&](std::int64_t begin, std::int64_t end) {
    kernel(activation, dout + begin * width, gate_up + begin * 2 * width, end - begin, width,
           dgate_up + begin * 2 * width, out == nullptr ? nullptr : out + begin * width);
  });
  return dgate_up_T2F;
}

}  // namespace

at::Tensor gated_backward(const at::Tensor& dout_TF, const at::Tensor& gate_up_T2F, Activation activation) {
  return gated_gradient(dout_TF, gate_up_T2F, activation, nullptr);
}

GatedGradient gated_backward_with_forward(const at::Tensor& dout_TF, const at::Tensor& gate_up_T2F,
                                          Activation activation) {
  GatedGradient result{{}, at::empty(dout_TF.sizes(), at::kFloat)};
  result.dgate_up_T2F = gated_gradient(dout_TF, gate_up_T2F, activation, result.out_TF.data_ptr<float>());
  return result;
}

}  // namespace hone::kernels
