#pragma once

#include <ATen/ATen.h>

namespace hone {

struct GaeOptions {
  double gamma = 1.0;
  double lambda = 0.95;
  /// Continue a truncated episode with the critic's value of what follows its last token, instead of 0.
  bool bootstrap_truncated = false;
};

struct Advantages {
  at::Tensor advantage_T;  ///< 0 at rows that are no action
  at::Tensor return_T;     ///< advantage + value, before any whitening of the advantage; 0 at rows that are no action
};

/// Generalized advantage estimation (Schulman et al. 2016, equations 11, 12 and 16) over packed sequences:
///     δ_t = r_t + γ·V_{t+1} - V_t        A_t = δ_t + γλ·A_{t+1}
/// where t + 1 is the next *action* row of the same sequence: rows under mask 0 (prompt, environment replies) are
/// skipped, their rewards and values are not read, and nothing crosses a border between sequences.
///
/// After the last action row V is 0, or with bootstrap_truncated, where truncated_S (bool) says so, the value of the
/// row after it: the row that has seen every token. truncated_S may be undefined when bootstrap_truncated is off.
/// Results are float32 (float64 when value_T is) and carry no gradient.
Advantages gae(const at::Tensor& reward_T, const at::Tensor& value_T, const at::Tensor& start_S1,
               const at::Tensor& mask_T, const at::Tensor& truncated_S, const GaeOptions& options);

}  // namespace hone
