#pragma once

#include <optional>
#include <string>

#include "algo/preference_loss.h"
#include "data/examples.h"
#include "stages/stage.h"
#include "stages/training.h"

namespace hone {

/// Kahneman-Tversky optimization (Ethayarajh et al. 2024): a language model learns from single answers that are good or
/// bad. See docs/stages/kto.md.
class KtoSpec : public StageSpec {
 public:
  std::string data;
  std::string positive = "true";
  KtoOptions options;
  std::optional<std::string> reference;
  Overlong overlong = Overlong::truncate_right;
  TrainingConfig training;
  HeldOutConfig evaluation;

  KtoSpec();
  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return {data}; }
  StageArithmetic arithmetic() const override { return training.arithmetic(); }
  StageSummary run(Run& run) const override;
};

}  // namespace hone
