#pragma once

#include <string>
#include <vector>

#include "data/class_examples.h"
#include "stages/supervised.h"

namespace hone {

/// A class for each word, by a head on every token. See docs/stages/token_classify.md.
class TokenClassifySpec : public DataSpec {
 public:
  double label_smoothing = 0;
  LengthLimit length;

  void describe_stage(Fields& f) override;
  /// Leaves the tags in checkpoints/<stage>/labels.json.
  StageStart prepare(Run& run) const override;
};

}  // namespace hone
