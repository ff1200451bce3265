#pragma once

#include <memory>

#include "flow/reward.h"

namespace hone {

/// How close a walk of the random_walks environment comes to the shortest path, 0 … 1:
///
///     optimality = (M − L) / (M − S)     M = reference.max_nodes, S = reference.shortest, counting both ends
///
/// L is the number of nodes up to and including the first visit of the goal, or M when the walk takes an edge that does
/// not exist, names no node, is longer than M nodes before it arrives, or never arrives. What follows the goal does not
/// count. The walk is the reference's start and then the letters of the completion; white space is not skipped.
class RandomWalksRewardSpec : public RewardSpec {
 public:
  void describe_reward(Fields&) override {}
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
