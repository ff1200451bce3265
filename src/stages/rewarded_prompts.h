#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flow/reward.h"
#include "rollout/scoring.h"
#include "stages/evaluation.h"
#include "stages/prompt_sampler.h"
#include "stages/rl_guards.h"
#include "stages/training.h"

namespace hone {

/// Where prompts come from, how the model answers them and what judges the answers, for stages that learn from the
/// better ones.
struct RewardedPromptsConfig {
  std::unique_ptr<EnvironmentSpec> environment;
  std::vector<std::unique_ptr<RewardSpec>> rewards;
  SamplingConfig sampling;
  EngineConfig engine;
  double max_error_share = 0.05;
  EvaluationConfig evaluation;
  double evaluate_every_epochs = 0;

  void describe(Fields& f);
  std::vector<std::string> data_names() const;
  /// As hone::require_prompts, of all that is learned from and looked at.
  void require_prompts(Run& run) const;
  EvaluationInterval interval() const { return {evaluation.every, evaluate_every_epochs}; }
};

class RewardedPrompts {
 public:
  /// All borrowed; `stage` names the random stream.
  RewardedPrompts(Run& run, const RewardedPromptsConfig& config, const std::string& stage);

  Environment& environment() { return sampler_.environment(); }
  std::uint64_t prompts() const { return sampler_.prompts(); }
  /// Judged answers, those of a prompt adjacent. Error{service} when too many could not be judged.
  std::vector<Episode> answers(std::span<const std::uint64_t> prompts, std::int64_t samples, std::uint64_t visit);

  /// What the rewards tell about their own work. Between two steps; exchange() saves what was then.
  MetricValues step_done();
  void exchange(TrainerState& state);

  MetricValues evaluate() { return evaluator_.evaluate(); }
  /// Of the last evaluation.
  const std::vector<Episode>& held_out() const { return evaluator_.episodes(); }

 private:
  PromptSampler sampler_;
  RewardSum rewards_;
  std::unique_ptr<Environment> evaluation_environment_;  ///< null: the stage's own
  std::unique_ptr<RewardSum> evaluation_rewards_;        ///< null: the stage's own
  Evaluator evaluator_;
  ErrorWindow errors_;
  std::vector<double> statistics_;  ///< of the rewards when the last complete step ended
};

}  // namespace hone
