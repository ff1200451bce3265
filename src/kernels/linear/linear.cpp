#include "kernels/linear/linear.h"

#include "base/error.h"
#include "base/threads.h"
#include "kernels/linear/gemm.h"
#include "kernels/linear/linear_cpu.h"

namespace hone::kernels {

namespace {

void check_matrix(const at::Tensor& tensor) {
  HONE_ASSERT(tensor.dim() == 2 && tensor.scalar_type() == at::kFloat && tensor.is_contiguous() &&
              tensor.device().is_cpu());
}

/// An operand of a product: float32, or what that product would round it to.
void check_operand(const at::Tensor& tensor, Compute compute) {
  HONE_ASSERT(tensor.dim() == 2 && tensor.is_contiguous() && tensor.device().is_cpu());
  HONE_ASSERT(tensor.scalar_type() == at::kFloat ||
              (tensor.scalar_type() == at::kBFloat16 && compute == Compute::bfloat16));
}

void point_at(const at::Tensor& tensor, const float*& floats, const std::uint16_t*& halves) {
  if (tensor.scalar_type() == at::kFloat) {
    floats = tensor.const_data_ptr<float>();
  } else {
    halves = static_cast<const std::uint16_t*>(tensor.const_data_ptr());
  }
}

void check_vector(const at::Tensor& tensor, std::int64_t size) {
  HONE_ASSERT(tensor.dim() == 1 && tensor.size(0) == size && tensor.scalar_type() == at::kFloat &&
              tensor.is_contiguous() && tensor.device().is_cpu());
}

}  // namespace

at::Tensor linear_forward(const at::Tensor& x_TK, const PackedWeight& weight, const at::Tensor& bias_N) {
  check_operand(x_TK, weight.compute());
  HONE_ASSERT(x_TK.size(1) == weight.in_features());
  if (bias_N.defined()) check_vector(bias_N, weight.out_features());
  at::Tensor y_TN = at::empty({x_TK.size(0), weight.out_features()}, at::kFloat);
  const float* const bias = bias_N.defined() ? bias_N.const_data_ptr<float>() : nullptr;
  float* const y = y_TN.mutable_data_ptr<float>();
  if (x_TK.scalar_type() == at::kFloat) {
    multiply_forward(weight, x_TK.const_data_ptr<float>(), x_TK.size(0), bias, y);
  } else {
    Gemm gemm = forward_product(weight, x_TK.size(0), bias, y);
    point_at(x_TK, gemm.a, gemm.a_bfloat16);
    run_gemm(gemm, weight.compute());
  }
  return y_TN;
}

at::Tensor linear_backward_input(const at::Tensor& dy_TN, const PackedWeight& weight) {
  check_operand(dy_TN, weight.compute());
  HONE_ASSERT(dy_TN.size(1) == weight.out_features());
  at::Tensor dx_TK = at::empty({dy_TN.size(0), weight.in_features()}, at::kFloat);
  Gemm gemm = backward_product(weight, nullptr, dy_TN.size(0), dx_TK.mutable_data_ptr<float>());
  point_at(dy_TN, gemm.a, gemm.a_bfloat16);
  run_gemm(gemm, weight.compute());
  return dx_TK;
}

void linear_backward_weight(const at::Tensor& dy_TN, const at::Tensor& x_TK, Compute compute, at::Tensor& dweight_NK) {
  check_operand(dy_TN, compute);
  check_operand(x_TK, compute);
  check_matrix(dweight_NK);
  HONE_ASSERT(dy_TN.size(0) == x_TK.size(0));
  HONE_ASSERT(dweight_NK.size(0) == dy_TN.size(1) && dweight_NK.size(1) == x_TK.size(1));
  Gemm gemm;
  gemm.rows = dy_TN.size(1);
  gemm.columns = x_TK.size(1);
  gemm.depth = x_TK.size(0);
  point_at(dy_TN, gemm.a, gemm.a_bfloat16);
  gemm.a_stride = dy_TN.size(1);
  gemm.a_transposed = true;
  point_at(x_TK, gemm.b, gemm.b_bfloat16);
  gemm.b_stride = x_TK.size(1);
  gemm.c = dweight_NK.mutable_data_ptr<float>();
  gemm.c_stride = dweight_NK.size(1);
  gemm.accumulate = true;
  run_gemm(gemm, compute);
}

void linear_backward_bias(const at::Tensor& dy_TN, at::Tensor& dbias_N) {
  check_matrix(dy_TN);
  check_vector(dbias_N, dy_TN.size(1));
  const float* dy = dy_TN.const_data_ptr<float>();
  float* sum = dbias_N.mutable_data_ptr<float>();
  const std::int64_t width = dy_TN.size(1);
  const auto add = HONE_SELECT(add_column_sums);
  parallel_for(width, 64, [&](std::int64_t begin, std::int64_t end) {
    add(dy, dy_TN.size(0), width, begin, end, sum);
  });
}

}  // namespace hone::kernels
