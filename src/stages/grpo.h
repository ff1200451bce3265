#pragma once

#include "algo/group_advantage.h"
#include "stages/rl_config.h"
#include "stages/stage.h"

namespace hone {

/// Group-relative policy optimization (Shao et al. 2024): PPO's loop and loss, advantages from the episodes of the same
/// prompt instead of a critic. See docs/stages/grpo.md.
class GrpoSpec : public StageSpec {
 public:
  RlConfig rl;
  GroupAdvantageOptions group;

  GrpoSpec() { rl.samples = 8; }
  void describe_stage(Fields& f) override;
  std::span<const std::unique_ptr<RewardSpec>> rewards() const override { return rl.rewards; }
  StageArithmetic arithmetic() const override { return rl.arithmetic(); }
  StageSummary run(Run& run) const override;
};

}  // namespace hone
