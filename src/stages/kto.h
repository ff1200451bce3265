#pragma once

#include <optional>
#include <string>

#include "algo/preference_loss.h"
#include "data/examples.h"
#include "stages/supervised.h"

namespace hone {

/// Kahneman-Tversky optimization (Ethayarajh et al. 2024): a language model learns from single answers that are good or
/// bad. See docs/stages/kto.md.
class KtoSpec : public DataSpec {
 public:
  std::string positive = "true";
  KtoOptions options;
  std::optional<std::string> reference;
  Overlong overlong = Overlong::truncate_right;

  KtoSpec();
  void describe_stage(Fields& f) override;
  StageStart prepare(Run& run) const override;
};

}  // namespace hone
