#pragma once

#include <string>
#include <vector>

#include "stages/stage.h"
#include "stages/training.h"

namespace hone {

/// Extractive question answering: where in a context the answer begins and ends, by a head of two numbers on every
/// token. See docs/stages/qa_span.md.
class QaSpanSpec : public StageSpec {
 public:
  std::string data;
  std::int64_t max_tokens = 384;
  std::int64_t stride = 128;
  std::int64_t max_answer_tokens = 30;
  TrainingConfig training;
  HeldOutConfig evaluation;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return {data}; }
  StageArithmetic arithmetic() const override { return training.arithmetic(); }
  StageSummary run(Run& run) const override;
};

}  // namespace hone
