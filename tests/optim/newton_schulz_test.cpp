#include "optim/newton_schulz.h"

#include "support/golden_tensor.h"

using namespace hone;
using namespace hone::test;

namespace {

at::Tensor matrix(std::int64_t rows, std::int64_t columns) {
  return at::randn({rows, columns}, at::make_generator<at::CPUGeneratorImpl>(5), at::kFloat);
}

std::pair<double, double> range_of_singular_values(const at::Tensor& m) {
  const at::Tensor s = at::linalg_svdvals(m.to(at::kDouble));
  return {s.min().item<double>(), s.max().item<double>()};
}

}  // namespace

TEST_CASE("optim: Newton-Schulz steps pull singular values near 1, whatever the shape and precision") {
  for (const auto& [rows, columns] : {std::pair{24, 40}, {40, 24}, {32, 32}, {1, 9}}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      const at::Tensor result = orthogonalized(matrix(rows, columns), 5, type);
      CHECK((result.scalar_type() == at::kFloat));
      CHECK(result.sizes().vec() == std::vector<std::int64_t>{rows, columns});
      const auto [least, greatest] = range_of_singular_values(result);
      CHECK(greatest < 1.3);
      if (rows != columns) CHECK(least > 0.6);  // a square one may have values near 0, which take more steps
    }
  }
}

TEST_CASE("optim: the directions of an orthogonalised matrix stay, and zeros stay zeros") {
  const at::Tensor m = matrix(6, 10), result = orthogonalized(m, 5, at::kFloat);
  const auto [u, s, v] = at::linalg_svd(m.to(at::kDouble), false);
  const at::Tensor rotated = u.t().mm(result.to(at::kDouble)).mm(v.t());
  CHECK(gap(rotated - at::diag(rotated.diag()), at::zeros_like(rotated)) < 1e-4);
  CHECK(gap(orthogonalized(m.t(), 5, at::kFloat), result.t()) < 1e-5);
  CHECK(at::equal(orthogonalized(at::zeros({3, 4}), 5, at::kFloat), at::zeros({3, 4})));
}
