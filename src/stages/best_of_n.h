#pragma once

#include <optional>

#include "stages/rewarded_prompts.h"
#include "stages/stage.h"

namespace hone {

/// Answers are drawn once, with the weights that the stage starts from; the better ones are then learned as sft learns
/// completions. See docs/stages/best_of_n.md.
class BestOfNSpec : public StageSpec {
 public:
  RewardedPromptsConfig prompts;
  std::optional<std::int64_t> train_prompts;
  std::int64_t samples = 8;
  std::optional<std::int64_t> keep = 1;  ///< of each prompt's answers, the best; unset: all
  std::optional<double> least_reward;
  TrainingConfig training;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return prompts.data_names(); }
  std::span<const std::unique_ptr<RewardSpec>> rewards() const override { return prompts.rewards; }
  StageArithmetic arithmetic() const override;
  StageStart prepare(Run& run) const override;
};

/// Rejection-sampling fine-tuning (Yuan et al. 2023): every different answer that is good enough is learned.
class RejectionSamplingSpec : public BestOfNSpec {
 public:
  RejectionSamplingSpec() {
    keep = std::nullopt;
    least_reward = 1;
  }
};

}  // namespace hone
