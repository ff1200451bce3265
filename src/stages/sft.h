#pragma once

#include "stages/evaluation.h"
#include "stages/language_model.h"
#include "stages/stage.h"

namespace hone {

/// Supervised fine-tuning: prompts are read, completions are learned, or the assistant's turns of conversations. See
/// docs/stages/sft.md.
class SftSpec : public StageSpec {
 public:
  TextSource source;
  Learned learn = Learned::completions;
  TextPacking packing = TextPacking::documents;
  Overlong overlong = Overlong::truncate_right;
  Regularization regularization;
  TrainingConfig training;
  EvaluationConfig evaluation;
  double evaluate_every_epochs = 0;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override;
  StageArithmetic arithmetic() const override;
  StageStart prepare(Run& run) const override;

 private:
  bool generates() const { return !evaluation.rewards.empty(); }
};

}  // namespace hone
