#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flow/reward.h"

namespace hone {

/// What a trained model says of the completion: the scalar of a reward model, the weighted sum where it gives several, or
/// the log-odds of a classifier's positive class. Then, each when asked for and in this order:
///
///     sigmoid    value ← 1 / (1 + e^−value), for log-odds the probability of the positive class
///     scale      value clipped to [from₀, from₁], then mapped linearly onto [to₀, to₁]
///
/// The part `raw` is what the model said; of several scores each is a part of its own, by its name.
class ModelScoreSpec : public RewardSpec {
 public:
  std::string model;
  std::vector<std::pair<std::string, double>> weights;
  bool sigmoid = false;
  std::vector<double> from;
  std::vector<double> to;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
