#pragma once

#include <string>
#include <vector>

#include "data/class_examples.h"
#include "stages/stage.h"
#include "stages/training.h"

namespace hone {

/// A class for each word, by a head on every token. See docs/stages/token_classify.md.
class TokenClassifySpec : public StageSpec {
 public:
  std::string data;
  double label_smoothing = 0;
  LengthLimit length;
  TrainingConfig training;
  HeldOutConfig evaluation;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return {data}; }
  StageArithmetic arithmetic() const override { return training.arithmetic(); }
  /// Leaves the tags in checkpoints/<stage>/labels.json.
  StageSummary run(Run& run) const override;
};

}  // namespace hone
