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

/// A token that may be kept. Tokens are ranked by descending logit, equals by ascending id; every truncation keeps the
/// front of that ranking.
struct Candidate {
  float logit;
  std::int32_t id;
  float mass;  ///< probability before truncation
};

struct TruncationWorkspace {
  std::vector<std::int32_t> id;  ///< of the candidates, ascending
  std::vector<float> logit;
  std::vector<float> mass;
  std::vector<Candidate> ranked;
  std::vector<float> peaks;
};

/// Leaves in `workspace` the tokens that the rule keeps (id and mass, ascending ids); at least one.
void truncate(const SampleRow& row, const SampleRule& rule, TruncationWorkspace& workspace);

}  // namespace hone::kernels
