#pragma once

#include <memory>

#include "flow/reward.h"

namespace hone {

/// What the environment itself gave: the sum of the turns' own rewards. A turn for which it gave nothing counts 0; an
/// episode without any is an abstention.
///
///     episode   value = Σ over turns of the turn's reward
///     turn      value = the last turn's reward; the others are spans at the end of their turns, so that a critic
///     learns
///               from each step where it was earned (process reward). The part `total` is the sum
///
/// Group-relative advantages know no moments within an episode: with `turn` they would see the last turn's reward
/// alone.
class EnvironmentRewardSpec : public RewardSpec {
 public:
  enum class Credit { episode, turn };
  Credit credit = Credit::episode;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
