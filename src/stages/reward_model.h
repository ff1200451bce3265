#pragma once

#include <optional>
#include <string>

#include "stages/supervised.h"

namespace hone {

/// One score a text, learned from pairs (which answer is better) or from labelled rows (which class is good). See
/// docs/stages/reward_model.md.
class RewardModelSpec : public DataSpec {
 public:
  std::optional<std::string> positive;
  double centering = 0;

  void describe_stage(Fields& f) override;
  StageSummary run(Run& run) const override;
};

}  // namespace hone
