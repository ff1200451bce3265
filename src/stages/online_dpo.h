#pragma once

#include "algo/preference_loss.h"
#include "stages/rewarded_prompts.h"
#include "stages/stage.h"

namespace hone {

/// Direct preference optimization on the policy's own answers (Guo et al. 2024): of several to a prompt, the one with the
/// highest reward is chosen and the one with the lowest rejected. See docs/stages/online_dpo.md.
class OnlineDpoSpec : public StageSpec {
 public:
  RewardedPromptsConfig prompts;
  std::int64_t samples = 2;
  PreferenceOptions options;
  TrainingConfig training;

  OnlineDpoSpec();
  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return prompts.data_names(); }
  std::span<const std::unique_ptr<RewardSpec>> rewards() const override { return prompts.rewards; }
  StageArithmetic arithmetic() const override;
  StageStart prepare(Run& run) const override;
};

}  // namespace hone
