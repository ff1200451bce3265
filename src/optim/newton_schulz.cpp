#include "optim/newton_schulz.h"

namespace hone {

namespace {

constexpr double first = 3.4445, third = -4.7750, fifth = 2.0315;
constexpr double least_norm = 1e-7;

}  // namespace

at::Tensor orthogonalized(const at::Tensor& matrix, std::int64_t iterations, at::ScalarType compute) {
  const bool tall = matrix.size(0) > matrix.size(1);
  const at::Tensor norm = matrix.norm().clamp_min(least_norm);
  at::Tensor x = (tall ? matrix.t() : matrix).div(norm).to(compute).contiguous();
  for (std::int64_t i = 0; i < iterations; ++i) {
    const at::Tensor gram = x.mm(x.t());
    x = at::addmm(x, at::addmm(gram, gram, gram, third, fifth), x, first);
  }
  return (tall ? x.t() : x).to(at::kFloat);
}

}  // namespace hone
