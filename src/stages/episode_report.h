#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algo/batch.h"
#include "flow/types.h"
#include "stages/run.h"

namespace hone {

/// Tells the report's sinks of the episodes of a training step that `batch` packs in this order: distributions of reward,
/// completion length and advantage, and `report.samples` of them: the best, the worst, then the first.
void report_trained(Run& run, std::int64_t step, const std::vector<Episode>& episodes, const Batch& batch);

/// The first `report.samples` episodes of a held-out evaluation.
void report_held_out(Run& run, std::int64_t step, std::span<const Episode> episodes);

}  // namespace hone
