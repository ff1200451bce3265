#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flow/environment.h"
#include "flow/reward.h"

namespace hone {

/// One thing that was tried on a plug-in.
struct TrialLine {
  std::string what;
  bool good = true;
  std::string detail;  ///< what came back, or what is wrong
};

/// Ordinary and hostile batches. Good means: a verdict for each episode, in time and in the protocol's words, finite
/// values, and, unless it is `random`, the same verdict however the batch is cut. An error for an episode that cannot be
/// judged is good; it must not be one for every ordinary episode.
std::vector<TrialLine> try_reward(Reward& reward, bool random);

/// Prompts twice, then answers: what the environment demonstrates, garbage, nothing, a megabyte.
std::vector<TrialLine> try_environment(Environment& environment);

/// Times of calls of `batch` short episodes for about `seconds`.
struct CallTimes {
  std::int64_t batch = 0;
  std::vector<double> seconds;  ///< of each call, ascending
  double scores_per_second() const;
  double quantile(double share) const;
};
CallTimes time_calls(Reward& reward, std::int64_t batch, double seconds);

}  // namespace hone
