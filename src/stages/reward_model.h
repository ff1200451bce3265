#pragma once

#include <optional>
#include <string>

#include "stages/stage.h"
#include "stages/training.h"

namespace hone {

/// One score a text, learned from pairs (which answer is better) or from labelled rows (which class is good). See
/// docs/stages/reward_model.md.
class RewardModelSpec : public StageSpec {
 public:
  std::string data;
  std::optional<std::string> positive;
  double centering = 0;
  TrainingConfig training;
  HeldOutConfig evaluation;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return {data}; }
  StageArithmetic arithmetic() const override { return training.arithmetic(); }
  StageSummary run(Run& run) const override;
};

}  // namespace hone
