#pragma once

#include <cstdint>
#include <vector>

#include "kernels/sample/sample.h"

namespace hone::kernels {

/// One row on its way through the sampler. `log_sum_exp` is that of logits · inverse_temperature.
struct SampleRow {
  const float* logits = nullptr;
  std::int64_t vocabulary = 0;
  float inverse_temperature = 1.0F;
  float log_sum_exp = 0;
  const float* block_peak = nullptr;  ///< largest logit of each block of 64
  float peak = 0;                     ///< largest logit
};

/// Tokens that may be kept, in ascending ids.
struct Candidates {
  std::vector<std::int32_t> id;
  std::vector<float> logit;
  std::vector<float> mass;  ///< probability before truncation

  std::size_t size() const { return id.size(); }
  void resize(std::size_t count);
};

/// Leaves in `kept` the tokens that the rule keeps; at least one. Tokens are ranked by descending logit, equals by
/// ascending id, and every truncation keeps the front of that ranking.
void truncate(const SampleRow& row, const SampleRule& rule, Candidates& kept);

}  // namespace hone::kernels
