#pragma once

#include <memory>

#include "flow/reward.h"

namespace hone {

/// The reward to copy. It works: it judges the `skeleton` environment's guesses.
///
///     value = 1 / turns taken when the last guess is the hidden number, else 0
///
/// To make your own: copy both files of the pair, rename the spec, write `judge`, and add one row to the table in
/// src/app. A reward that must see all answers to a prompt at once derives from Reward instead and overrides `scope`
/// (rewards/diversity does); one that needs a model asks `services` for it (rewards/fluency does).
class SkeletonRewardSpec : public RewardSpec {
 public:
  bool quick = true;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
