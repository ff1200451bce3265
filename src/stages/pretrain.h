#pragma once

#include "stages/language_model.h"
#include "stages/supervised.h"

namespace hone {

/// Causal language modelling: every token of every text is learned. See docs/stages/pretrain.md.
class PretrainSpec : public SupervisedSpec {
 public:
  TextSource source;
  TextPacking packing = TextPacking::documents;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return source.data_names(); }
  StageStart prepare(Run& run) const override;
};

}  // namespace hone
