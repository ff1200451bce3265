#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "flow/reward.h"

namespace hone {

/// Shapes the number of tokens n that the policy wrote (all turns, end-of-sequence included). Two parts, summed, each
/// there when its key is set:
///
///     overlong   0 up to max − buffer, then −penalty · (n − (max − buffer)) / buffer, which is −penalty at max;
///                with `floor` it stays there beyond max (DAPO, Yu et al. 2025, eq. 13; with n > max at −penalty)
///     target     −penalty · min(1, |n − target| / target)
class LengthSpec : public RewardSpec {
 public:
  std::optional<std::int64_t> max;
  std::int64_t buffer = 0;
  bool floor = true;
  std::optional<std::int64_t> target;
  double penalty = 1.0;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
