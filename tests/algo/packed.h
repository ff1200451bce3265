#pragma once

#include "support/golden_tensor.h"

#include <initializer_list>
#include <vector>

namespace hone::test {

/// start_S1 of sequences with these lengths.
inline at::Tensor starts_of(const std::vector<std::int64_t>& lengths) {
  std::vector<int> start = {0};
  for (const auto length : lengths) start.push_back(start.back() + static_cast<int>(length));
  return at::tensor(start, at::kInt);
}

inline at::Tensor numbers(std::initializer_list<double> values) {
  return at::tensor(std::vector<double>(values), at::kDouble);
}

/// The rows of a [S, n] table as packed sequences of n rows each.
inline at::Tensor starts_of_table(const at::Tensor& table) {
  return starts_of(std::vector<std::int64_t>(static_cast<std::size_t>(table.size(0)), table.size(1)));
}

}  // namespace hone::test
