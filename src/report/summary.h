#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"

namespace hone {

/// A held-out measurement before and after a stage.
struct HeldOut {
  std::string metric;  ///< "accuracy (greedy)", "loss"
  std::optional<double> before;
  std::optional<double> after;
};

/// What a stage did, for the table at the end of the run.
struct StageSummary {
  std::string stage;
  std::vector<HeldOut> held_out;
  double seconds = 0;
  std::int64_t tokens = 0;  ///< trained on or generated, as the stage's tokens_per_second counts them; 0 for none
};

Json to_json(const StageSummary& summary);
/// Error{data} when `json` is no summary.
StageSummary summary_from_json(const Json& json);

/// One row a stage and held-out metric:
///
///     stage  held-out            before   after        time  tokens/s
///     -----  ------------------  ------  ------  ----------  --------
///     sft    accuracy (greedy)        0  0.3812      35.2 s    41,200
///     ppo    accuracy (greedy)   0.3812   0.953  2 min 31 s    38,000
///            accuracy (sampled)  0.3301  0.9413
std::string summary_table(std::span<const StageSummary> stages);

}  // namespace hone
