#pragma once

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "kernels/isa.h"
#include "support/doctest_torch.h"

/// What the tests of kernels share: random tensors, comparisons, and the variants that this CPU runs.
namespace hone::test {

inline at::Tensor random_tensor(at::IntArrayRef sizes, std::uint64_t seed, double scale = 1.0) {
  Random random(stream_key(seed, "kernel tests"));
  at::Tensor tensor = at::empty(sizes, at::kFloat);
  float* data = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) data[i] = static_cast<float>(scale * random.normal());
  return tensor;
}

inline at::Tensor int_tensor(const std::vector<std::int32_t>& values) {
  return at::tensor(at::ArrayRef<std::int32_t>(values), at::kInt);
}

/// Largest |a - b| relative to the largest |b| (at least 1e-30).
inline double relative_error(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0 && b.numel() == 0) return 0;
  const double scale = std::max(1e-30, b.to(at::kDouble).abs().max().item<double>());
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>() / scale;
}

inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) return false;
  const at::Tensor x = a.contiguous();
  const at::Tensor y = b.contiguous();
  return a.numel() == 0 || std::memcmp(x.const_data_ptr(), y.const_data_ptr(), x.nbytes()) == 0;
}

inline at::Tensor double_leaf(const at::Tensor& tensor) { return tensor.detach().to(at::kDouble).requires_grad_(true); }

/// d sum(out · weight) / d inputs.
inline std::vector<at::Tensor> gradients(const at::Tensor& out, const at::Tensor& weight,
                                         const std::vector<at::Tensor>& inputs) {
  return torch::autograd::grad({(out * weight.to(out.scalar_type())).sum()}, inputs);
}

/// Runs `body` with a team of `count` threads and returns what it returns.
template <class Body>
auto with_threads(int count, const Body& body) {
  set_threads(count);
  auto result = body();
  set_threads(1);
  return result;
}

/// The variants of a kernel that this CPU runs, narrowest first.
template <class Function>
std::vector<Function*> variants(Function* portable, Function* avx2, Function* avx512) {
  std::vector<Function*> runnable{portable};
  if (kernels::isa() >= kernels::Isa::avx2) runnable.push_back(avx2);
  if (kernels::isa() >= kernels::Isa::avx512) runnable.push_back(avx512);
  return runnable;
}

}  // namespace hone::test

#define HONE_VARIANTS(name) \
  ::hone::test::variants(::hone::kernels::portable::name, ::hone::kernels::avx2::name, ::hone::kernels::avx512::name)
