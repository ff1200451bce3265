#pragma once

#include <string>

#include "data/labels.h"
#include "stages/stage.h"
#include "stages/training.h"

namespace hone {

/// Classification of whole texts by a head on the last token's hidden state. See docs/stages/classify.md.
class ClassifySpec : public StageSpec {
 public:
  std::string data;
  TrainingConfig training;
  HeldOutConfig evaluation;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return {data}; }
  StageArithmetic arithmetic() const override { return training.arithmetic(); }
  /// Leaves the class names in checkpoints/<stage>/labels.json.
  StageSummary run(Run& run) const override;
};

/// The classes of a data set's training rows. Error{data} when there are fewer than two.
LabelSet classes_of(const Dataset& data);

}  // namespace hone
