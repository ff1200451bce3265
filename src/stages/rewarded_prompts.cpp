#include "stages/rewarded_prompts.h"

#include "stages/stage_prompts.h"
#include "stages/trainer_state.h"

namespace hone {

namespace {

constexpr std::int64_t error_window = 4;

std::unique_ptr<RewardSum> own_rewards(Run& run, const EvaluationConfig& evaluation) {
  if (evaluation.rewards.empty()) return nullptr;
  return std::make_unique<RewardSum>(evaluation.rewards, run.services());
}

}  // namespace

void RewardedPromptsConfig::describe(Fields& f) {
  f.component("environment", environment, "Where prompts come from and what answers the policy.");
  f.required();
  f.components("rewards", rewards, "What judges the answers; the sum of weight × value is the reward.");
  f.required();
  f.section("sampling", sampling, "How answers are drawn.");
  f.section("engine", engine, "Generation.");
  f.field("max_error_share", max_error_share,
          "Share of answers with a failed reward above which the run saves and stops with exit code 69. Such answers are "
          "never learned from.",
          between(0, 1));
  f.section("evaluation", "Held-out evaluation by generation: eval/reward.", [this](Fields& fields) {
    evaluation.describe(fields);
    fields.field("every_epochs", evaluate_every_epochs, "Evaluate after each so many passes over the prompts; 0: never.",
                 at_least(0));
  });
  f.check(sampling.temperature > 0, "sampling", "temperature must be above 0: greedy answers to a prompt are all the same");
}

std::vector<std::string> RewardedPromptsConfig::data_names() const {
  std::vector<std::string> names;
  add_data_names(environment.get(), names);
  add_data_names(evaluation.environment.get(), names);
  return names;
}

void RewardedPromptsConfig::require_prompts(Run& run) const {
  hone::require_prompts(run, *environment, Split::train);
  evaluation.require_prompts(run, *environment);
}

RewardedPrompts::RewardedPrompts(Run& run, const RewardedPromptsConfig& config, const std::string& stage)
    : sampler_(run, *config.environment, config.sampling, config.engine, stage),
      rewards_(config.rewards, run.services()),
      evaluation_environment_(config.evaluation.environment ? config.evaluation.environment->make(run.services())
                                                            : nullptr),
      evaluation_rewards_(own_rewards(run, config.evaluation)),
      evaluator_(run, evaluation_environment_ ? *evaluation_environment_ : sampler_.environment(),
                 evaluation_rewards_ ? *evaluation_rewards_ : rewards_, config.evaluation),
      errors_(config.max_error_share, error_window),
      statistics_(rewards_.statistics()) {}

std::vector<Episode> RewardedPrompts::answers(std::span<const std::uint64_t> prompts, std::int64_t samples,
                                              std::uint64_t visit) {
  std::vector<Episode> episodes = sampler_.episodes(prompts, samples, visit);
  rewards_.score(episodes);
  errors_.observe(episodes);
  return episodes;
}

MetricValues RewardedPrompts::step_done() {
  statistics_ = rewards_.statistics();
  return rewards_.take_metrics();
}

void RewardedPrompts::exchange(TrainerState& state) {
  for (std::size_t i = 0; i < statistics_.size(); ++i) {
    state.value("reward_statistics/" + std::to_string(i), statistics_[i]);
  }
  errors_.exchange(state);
  if (state.restoring()) rewards_.restore_statistics(statistics_);
}

}  // namespace hone
