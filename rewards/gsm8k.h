#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "flow/reward.h"

namespace hone {

/// 1 when the completion's number is that of GSM8K's answer, else 0. The reference is a solution that ends with
/// `#### N`, or a number.
///
///     strict    the number right after the last `####`; without one the part `answered` is 0
///     flexible  the last number of the completion
///
/// Signs, `$`, separators of thousands, decimals and a full stop at the end are read as in 1,234.50.
class Gsm8kSpec : public RewardSpec {
 public:
  enum class Method { strict, flexible };
  std::string key = "answer";
  Method method = Method::strict;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
