#pragma once

#include "support/doctest_torch.h"

#include <limits>
#include <vector>

#include "support/golden.h"

namespace hone::test {

namespace detail {
inline void flatten(const Json& value, std::size_t depth, std::vector<std::int64_t>& shape, std::vector<double>& flat) {
  if (!value.is_array()) {
    flat.push_back(value.is_string() ? std::numeric_limits<double>::quiet_NaN() : value.as_number());
    return;
  }
  if (shape.size() == depth) shape.push_back(static_cast<std::int64_t>(value.as_array().size()));
  for (const auto& item : value.as_array()) flatten(item, depth + 1, shape, flat);
}
}  // namespace detail

/// A number or rectangular nested lists of them as a float64 tensor; the string "nan" is NaN.
inline at::Tensor tensor_of(const Json& value) {
  std::vector<std::int64_t> shape;
  std::vector<double> flat;
  detail::flatten(value, 0, shape, flat);
  return at::tensor(flat, at::kDouble).view(shape);
}

/// Largest absolute difference; infinity when shapes differ or one is NaN.
inline double gap(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  if (a.numel() == 0) return 0;
  const double largest = (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
  return std::isnan(largest) ? std::numeric_limits<double>::infinity() : largest;
}

/// A float64 leaf that collects a gradient.
inline at::Tensor leaf(const at::Tensor& values) {
  return values.detach().to(at::kDouble).clone().set_requires_grad(true);
}

}  // namespace hone::test
