#pragma once

#include <string>

#include "algo/distillation_loss.h"
#include "engine/engine.h"
#include "stages/language_model.h"
#include "stages/supervised.h"

namespace hone {

/// Knowledge distillation: the model learns the distributions of a teacher, over given completions or over its own. See
/// docs/stages/distill.md.
class DistillSpec : public SupervisedSpec {
 public:
  std::string teacher;
  TextSource source;
  DivergenceOptions options;
  double student_share = 0;
  SamplingConfig sampling;
  EngineConfig engine;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return source.data_names(); }
  StageStart prepare(Run& run) const override;

 private:
  StageSummary learn_from(Run& run, LearnableRows rows) const;
};

}  // namespace hone
