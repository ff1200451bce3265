#pragma once

#include <memory>
#include <string>

#include "flow/reward.h"

namespace hone {

/// 1 when the number that the last completion gives as its answer is the reference's, else 0 (no number is 0 too: the
/// answer was not given). Where the answer stands, the first rule that applies:
///
///     the last number in the last \boxed{…}         … so \boxed{x = \frac{3}{4}}
///     the first number after the last `after`       … #### 72 apples        (no `after` in the completion: 0)
///     the last number                               … 3 and 4 make 7
///
/// Only the part after `after` is looked at when it is set. rewards/number.h says what counts as a number. The
/// reference is a JSON number or a text that is read in the same way; without a number in it the score is an error.
class NumericAnswerSpec : public RewardSpec {
 public:
  std::string key = "answer";
  std::string after;
  double tolerance = 1e-6;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
