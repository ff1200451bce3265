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

namespace {

std::uint16_t* halves(at::Tensor& tensor) { return static_cast<std::uint16_t*>(tensor.mutable_data_ptr()); }

/// `kernel` over all rows; `out` points to values of the format that it writes.
template <class Element>
void run_forward(void (*kernel)(Activation, const float*, std::int64_t, std::int64_t, Element*),
                 const at::Tensor& gate_up_T2F, Activation activation, Element* out) {
  const std::int64_t width = gate_up_T2F.size(1) / 2;
  const float* gate_up = gate_up_T2F.const_data_ptr<float>();
  parallel_for(gate_up_T2F.size(0), grain_rows, [&](std::int64_t begin, std::int64_t end) {
    kernel(activation, gate_up + begin * 2 * width, end - begin, width, out + begin * width);
  });
}

/// Likewise; `out` may be null.
template <class Element>
void run_gradient(void (*kernel)(Activation, const float*, const float*, std::int64_t, std::int64_t, Element*,
                                 Element*),
                  const at::Tensor& dout_TF, const at::Tensor& gate_up_T2F, Activation activation, Element* dgate_up,
                  Element* out) {
  const std::int64_t width = dout_TF.size(1);
  const float* dout = dout_TF.const_data_ptr<float>();
  const float* gate_up = gate_up_T2F.const_data_ptr<float>();
  parallel_for(dout_TF.size(0), grain_rows, [&](std::int64_t begin, std::int64_t end) {
    kernel(activation, dout + begin * width, gate_up + begin * 2 * width, end - begin, width,
           dgate_up + begin * 2 * width, out == nullptr ? nullptr : out + begin * width);
  });
}

void check_gradient(const at::Tensor& dout_TF, const at::Tensor& gate_up_T2F) {
  check_floats(dout_TF);
  check_floats(gate_up_T2F);
  HONE_ASSERT(gate_up_T2F.size(0) == dout_TF.size(0) && gate_up_T2F.size(1) == 2 * dout_TF.size(1));
}

}  // namespace

at::Tensor gated_forward(const at::Tensor& gate_up_T2F, Activation activation, at::ScalarType result) {
  check_floats(gate_up_T2F);
  HONE_ASSERT(gate_up_T2F.size(1) % 2 == 0 && (result == at::kFloat || result == at::kBFloat16));
  at::Tensor out_TF = at::empty({gate_up_T2F.size(0), gate_up_T2F.size(1) / 2}, result);
  if (result == at::kFloat) {
    run_forward(HONE_SELECT(gated_rows), gate_up_T2F, activation, out_TF.mutable_data_ptr<float>());
  } else {
    const auto kernel = has_bfloat16() ? avx512bf16::gated_rows_bfloat16 : HONE_SELECT(gated_rows_bfloat16);
    run_forward(kernel, gate_up_T2F, activation, halves(out_TF));
  }
  return out_TF;
}

at::Tensor gated_backward(const at::Tensor& dout_TF, const at::Tensor& gate_up_T2F, Activation activation) {
  check_gradient(dout_TF, gate_up_T2F);
  at::Tensor dgate_up_T2F = at::empty(gate_up_T2F.sizes(), at::kFloat);
  run_gradient<float>(HONE_SELECT(gated_backward_rows), dout_TF, gate_up_T2F, activation,
                      dgate_up_T2F.mutable_data_ptr<float>(), nullptr);
  return dgate_up_T2F;
}

GatedGradient gated_backward_with_forward(const at::Tensor& dout_TF, const at::Tensor& gate_up_T2F,
                                          Activation activation, at::ScalarType result) {
  check_gradient(dout_TF, gate_up_T2F);
  HONE_ASSERT(result == at::kFloat || result == at::kBFloat16);
  GatedGradient both{at::empty(gate_up_T2F.sizes(), result), at::empty(dout_TF.sizes(), result)};
  if (result == at::kFloat) {
    run_gradient(HONE_SELECT(gated_backward_rows), dout_TF, gate_up_T2F, activation,
                 both.dgate_up_T2F.mutable_data_ptr<float>(), both.out_TF.mutable_data_ptr<float>());
  } else {
    const auto kernel =
        has_bfloat16() ? avx512bf16::gated_backward_rows_bfloat16 : HONE_SELECT(gated_backward_rows_bfloat16);
    run_gradient(kernel, dout_TF, gate_up_T2F, activation, halves(both.dgate_up_T2F), halves(both.out_TF));
  }
  return both;
}

}  // namespace hone::kernels
