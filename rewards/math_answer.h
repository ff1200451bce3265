#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flow/reward.h"

namespace hone {

/// 1 when the last completion's answer is mathematically the reference's, else 0; a completion without an answer has 0
/// and the part `answered` 0. Where the answer stands: the first of `find` that the completion has.
///
///     boxed    the last \boxed{…} (or \fbox{…})             number   the last number
///     hashes   the rest of the line after the last ####     whole    all of it
///     phrase   after the last "answer is" or "answer:"
///
/// rewards/math/equivalence.h says what is the same. The reference is a number, a text (from which \boxed{…} or what
/// follows #### is taken where it has them), or a list of accepted ones.
class MathAnswerSpec : public RewardSpec {
 public:
  std::string key = "answer";
  std::vector<std::string> find{"boxed", "hashes", "phrase", "number"};
  std::string after;
  double tolerance = 1e-6;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
