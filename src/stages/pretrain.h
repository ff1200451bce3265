#pragma once

#include "stages/language_model.h"
#include "stages/stage.h"

namespace hone {

/// Causal language modelling: every token of every text is learned. See docs/stages/pretrain.md.
class PretrainSpec : public StageSpec {
 public:
  TextSource source;
  TextPacking packing = TextPacking::documents;
  TrainingConfig training;
  HeldOutConfig evaluation;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return named(source.data); }
  StageArithmetic arithmetic() const override { return training.arithmetic(); }
  StageSummary run(Run& run) const override;
};

}  // namespace hone
