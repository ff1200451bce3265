#pragma once

#include <cstdint>
#include <memory>

#include "flow/reward.h"
#include "rewards/ngrams.h"

namespace hone {

/// −penalty · (1 − distinct n-grams / n-grams) of what the policy wrote: 0 when none repeats and when there are fewer
/// than n units ("Demystifying Long Chain-of-Thought Reasoning in LLMs", Yeo et al. 2025).
class RepetitionSpec : public RewardSpec {
 public:
  std::int64_t n = 3;
  Unit unit = Unit::tokens;
  double penalty = 1.0;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
