#pragma once

#include <memory>
#include <string>

#include "flow/reward.h"

namespace hone {

/// 1 when the last completion is the reference's answer, else 0. The answer is a string, a number or true/false
/// (compared with its JSON text), or a list of accepted ones.
class ExactMatchSpec : public RewardSpec {
 public:
  std::string key = "answer";
  bool trim = true;
  bool ignore_case = false;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
