#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "algo/batch.h"
#include "algo/score_summary.h"
#include "flow/types.h"
#include "stages/trainer_state.h"

namespace hone {

/// Error{internal} unless every action of the batch was drawn by weights that had seen at least `oldest` and at most
/// `newest` optimizer steps. Both are the version that learns when the policy lag is 0.
void check_policy_lag(const Batch& batch, std::int64_t oldest, std::int64_t newest);

/// Counts failed rewards over the last iterations.
class ErrorWindow {
 public:
  ErrorWindow(double largest_share, std::int64_t iterations) : share_(largest_share), iterations_(iterations) {}

  /// Error{service} when more than the share of a full window's episodes failed. It names the share, how often each
  /// reward failed of what, and the first episodes with what the plug-in said.
  void observe(std::span<const Episode> episodes);
  void exchange(TrainerState& state);

 private:
  double share_;
  std::int64_t iterations_;
  std::vector<std::int64_t> errors_;  ///< of the last iterations, the newest last
};

/// Collections in a row whose scores are all equal (or all 0), this one included, when there were `in_a_row` before it.
/// A collection without a usable score leaves the count as it is. Error{service} when the count reaches `patience`
/// (0: never).
std::int64_t count_constant_rewards(const ScoreSummary& summary, std::int64_t in_a_row, std::int64_t patience);

}  // namespace hone
