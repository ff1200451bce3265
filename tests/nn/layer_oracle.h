#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kernels/attention_oracle.h"
#include "nn/layers.h"

/// What the tests of layers share: parameters to call them with, and the same layers in plain operators.
namespace hone::test {

/// A store whose parameters are random (or ones, for norms), ready for use.
class Parameters {
 public:
  explicit Parameters(kernels::Compute compute) : store(compute, true) {}

  Parameter matrix(const std::string& name, std::int64_t rows, std::int64_t columns) {
    return store.add({.name = name, .shape = {rows, columns}, .init = normal_init(0.3), .matrix = true});
  }
  Parameter vector(const std::string& name, std::int64_t size) {
    return store.add({.name = name, .shape = {size}, .init = normal_init(0.5)});
  }
  void ready() {
    store.allocate();
    store.initialize(17);
    store.refresh();
  }

  ParameterStore store;
};

/// One way to compute a layer: outputs and the gradients of Σ output · weight by input and by parameter.
struct Result {
  std::vector<at::Tensor> outputs, input_grads, parameter_grads;
};

/// What the layer over our kernels gives.
template <class Layer>
Result run_layer(Parameters& parameters, const std::vector<Parameter>& used, const std::vector<at::Tensor>& inputs,
                 const Layer& layer) {
  parameters.store.zero_grads();
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& input : inputs) leaves.push_back(input.detach().clone().requires_grad_(true));
  Result result;
  result.outputs = layer(leaves);
  at::Tensor sum = at::zeros({}, at::kDouble);
  for (std::size_t i = 0; i < result.outputs.size(); ++i) {
    sum = sum + (result.outputs[i] * random_tensor(result.outputs[i].sizes(), 1000 + i)).sum(at::kDouble);
  }
  if (sum.requires_grad()) sum.backward();
  for (const at::Tensor& leaf : leaves) result.input_grads.push_back(leaf.grad());
  for (const Parameter& parameter : used) result.parameter_grads.push_back(parameter.grad().clone());
  return result;
}

/// What plain operators give in double precision; `layer` gets the inputs and then the parameters.
template <class Layer>
Result run_plain(const std::vector<Parameter>& used, const std::vector<at::Tensor>& inputs, const Layer& layer) {
  std::vector<at::Tensor> x, w, leaves;
  for (const at::Tensor& input : inputs) x.push_back(double_leaf(input));
  for (const Parameter& parameter : used) w.push_back(double_leaf(parameter.weight()));
  Result result;
  result.outputs = layer(x, w);
  at::Tensor sum = at::zeros({}, at::kDouble);
  for (std::size_t i = 0; i < result.outputs.size(); ++i) {
    sum = sum + (result.outputs[i] * random_tensor(result.outputs[i].sizes(), 1000 + i).to(at::kDouble)).sum();
  }
  sum.backward();
  for (const at::Tensor& leaf : x) result.input_grads.push_back(leaf.grad());
  for (const at::Tensor& leaf : w) result.parameter_grads.push_back(leaf.grad());
  return result;
}

/// Forward within 1e-5 and gradients within 1e-4 in float32; in bfloat16 all within its rounding, which products of
/// 8-bit mantissas spread over a few layers.
inline void check_same(const Result& ours, const Result& plain, kernels::Compute compute) {
  const bool exact = compute == kernels::Compute::float32;
  const auto compare = [](const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b, double tolerance) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      CAPTURE(i);
      REQUIRE(a[i].defined());
      CHECK(a[i].sizes() == b[i].sizes());
      CHECK(relative_error(a[i].detach(), b[i].detach()) <= tolerance);
    }
  };
  compare(ours.outputs, plain.outputs, exact ? 1e-5 : 2e-2);
  compare(ours.input_grads, plain.input_grads, exact ? 1e-4 : 3e-2);
  compare(ours.parameter_grads, plain.parameter_grads, exact ? 1e-4 : 3e-2);
}

inline at::Tensor plain_rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  return x * at::rsqrt(x.pow(2).mean(-1, true) + eps) * weight;
}

/// Rotation of pairs (i, i + D/2) of each head of x_THD by position · theta^(-2i/D).
inline at::Tensor plain_rotary(const at::Tensor& x_THD, const at::Tensor& position_T, double theta) {
  const std::int64_t half = x_THD.size(-1) / 2;
  const at::Tensor exponent = at::arange(half, at::kDouble) / static_cast<double>(half);
  const at::Tensor angle = (position_T.to(at::kDouble).unsqueeze(1) * at::pow(theta, -exponent)).unsqueeze(1);
  const at::Tensor a = x_THD.slice(-1, 0, half);
  const at::Tensor b = x_THD.slice(-1, half);
  return at::cat({a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()}, -1);
}

inline at::Tensor plain_swiglu(const at::Tensor& gate_up, std::int64_t width) {
  return at::silu(gate_up.slice(-1, 0, width)) * gate_up.slice(-1, width);
}

}  // namespace hone::test
