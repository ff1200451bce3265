#pragma once

#include <string>
#include <vector>

#include "stages/supervised.h"

namespace hone {

/// Extractive question answering: where in a context the answer begins and ends, by a head of two numbers on every
/// token. See docs/stages/qa_span.md.
class QaSpanSpec : public DataSpec {
 public:
  std::int64_t max_tokens = 384;
  std::int64_t stride = 128;
  std::int64_t max_answer_tokens = 30;

  void describe_stage(Fields& f) override;
  StageStart prepare(Run& run) const override;
};

}  // namespace hone
