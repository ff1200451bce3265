#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

namespace hone {

/// What the scores of one collection look like, before anything is learned from them.
struct ScoreSummary {
  std::int64_t count = 0;       ///< usable: valid and finite
  std::int64_t failed = 0;      ///< not valid
  std::int64_t non_finite = 0;  ///< valid but NaN or infinite: to be treated as failed
  double mean = 0;
  double std = 0;  ///< unbiased
  double min = 0;
  double max = 0;
  at::Tensor usable_S;  ///< bool

  bool all_zero() const { return count > 0 && min == 0 && max == 0; }
  bool all_equal() const { return count > 1 && min == max; }
  /// What is suspicious, for a warning or an error; empty when nothing is.
  std::string complaint() const;
};

/// valid_S (bool) may be undefined: all. A failed or non-finite score is never read as 0.
ScoreSummary summarize_scores(const at::Tensor& score_S, const at::Tensor& valid_S);

}  // namespace hone
