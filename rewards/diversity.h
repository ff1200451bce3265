#pragma once

#include <cstdint>
#include <memory>

#include "flow/reward.h"
#include "rewards/ngrams.h"

namespace hone {

/// Each completion's share in distinct-n (Li et al., "A Diversity-Promoting Objective Function", 2016) of its group:
///
///     value = mean over the completion's n-grams of 1 / (occurrences of that n-gram in the whole group)
///
/// The mean of these values, weighted by the numbers of n-grams, is the group's distinct n-grams / n-grams exactly; it
/// is the part `distinct`. A completion with fewer than n units has no n-gram to judge: abstain.
class DiversitySpec : public RewardSpec {
 public:
  std::int64_t n = 2;
  Unit unit = Unit::words;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
