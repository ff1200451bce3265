#pragma once

#include <memory>
#include <string>

#include "flow/reward.h"

namespace hone {

/// Mean log-likelihood a token of the completion under a frozen language model: 0 at best, more negative the less the
/// model would have written it.
class FluencySpec : public RewardSpec {
 public:
  std::string model = "initial";

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
