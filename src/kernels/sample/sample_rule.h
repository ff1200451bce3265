#pragma once

#include <cstdint>

namespace hone::kernels {

/// How one row is sampled. Order: temperature, top-k, top-p, min-p (each on what the one before left, renormalised).
struct SampleRule {
  float temperature = 1.0F;  ///< 0: greedy, the lowest id among equals
  std::int32_t top_k = 0;    ///< 0: off
  float top_p = 1.0F;        ///< 1: off; keeps the smallest set of tokens whose probability reaches it
  float min_p = 0.0F;        ///< 0: off; keeps tokens of at least min_p times the largest probability
  bool truncates() const { return temperature > 0 && (top_k > 0 || top_p < 1.0F || min_p > 0.0F); }
};

}  // namespace hone::kernels
