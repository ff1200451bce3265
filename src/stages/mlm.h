#pragma once

#include "data/masking.h"
#include "data/text_encoder.h"
#include "stages/language_model.h"
#include "stages/stage.h"

namespace hone {

/// Masked language modelling: encoders fill in hidden tokens, encoder-decoders write hidden spans. See
/// docs/stages/mlm.md.
class MlmSpec : public StageSpec {
 public:
  std::string data;
  TextPacking packing = TextPacking::documents;
  MaskingRules masking;
  LengthLimit length;
  TrainingConfig training;
  HeldOutConfig evaluation;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return {data}; }
  StageArithmetic arithmetic() const override { return training.arithmetic(); }
  StageSummary run(Run& run) const override;

 private:
  LearnableRows texts(Run& run) const;
};

}  // namespace hone
