#pragma once

#include "data/masking.h"
#include "data/text_encoder.h"
#include "stages/language_model.h"
#include "stages/supervised.h"

namespace hone {

/// Masked language modelling: encoders fill in hidden tokens, encoder-decoders write hidden spans. See
/// docs/stages/mlm.md.
class MlmSpec : public DataSpec {
 public:
  TextPacking packing = TextPacking::documents;
  MaskingRules masking;
  LengthLimit length;

  void describe_stage(Fields& f) override;
  StageStart prepare(Run& run) const override;

 private:
  TokenExample text_of(Run& run, Split split, const DataRow& row, std::int64_t number, TextEncoder& encoder) const;
  LearnableRows texts(Run& run) const;
};

}  // namespace hone
