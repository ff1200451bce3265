#pragma once

#include <cstdint>
#include <string>

#include "algo/batch.h"
#include "algo/score_summary.h"

namespace hone {

/// Error{internal} unless every action of the batch was drawn by weights that had seen `version` optimizer steps: the
/// policy lag is 0. Anything else would need importance weights that nobody applies.
void check_policy_lag(const Batch& batch, std::int64_t version);

/// Collections in a row whose scores are all equal (or all 0), this one included, when there were `in_a_row` before it.
/// A collection without a usable score leaves the count as it is. Error{service} when the count reaches `patience`
/// (0: never).
std::int64_t count_constant_rewards(const ScoreSummary& summary, std::int64_t in_a_row, std::int64_t patience);

}  // namespace hone
