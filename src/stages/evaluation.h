#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "flow/environment.h"
#include "flow/reward.h"
#include "report/metrics.h"
#include "rollout/collect.h"
#include "rollout/scoring.h"
#include "stages/run.h"

namespace hone {

/// Held-out evaluation by generation: how often and on what. `environment` and `rewards` may be left out in stages that
/// have their own.
struct EvaluationConfig {
  std::int64_t every = 0;
  std::int64_t prompts = 1000;
  bool sampled = true;
  std::int64_t samples = 1;
  std::unique_ptr<EnvironmentSpec> environment;
  std::vector<std::unique_ptr<RewardSpec>> rewards;
  SamplingConfig sampling;
  EngineConfig engine;

  /// As hone::require_prompts; `own` is the environment of a stage that has one.
  void require_prompts(Run& run, const EnvironmentSpec& own) const;

  void describe(Fields& f) {
    f.field("every", every, "Evaluate after each so many steps; 0: only before the first and after the last.",
            at_least(0));
    f.field("prompts", prompts, "Held-out prompts, from the first; fewer when the split has fewer.", at_least(1));
    f.field("sampled", sampled, "Report sampled completions beside the greedy ones.");
    f.field("samples", samples, "Sampled completions a prompt.", at_least(1));
    f.component("environment", environment, "Where held-out prompts come from; by default the stage's own.");
    f.components("rewards", rewards, "What judges completions; by default the stage's own.");
    f.section("sampling", sampling, "How the sampled completions are drawn; greedy ones use its max_tokens and stop.");
    f.section("engine", engine, "Generation.");
  }
};

/// Generates on the held-out split and scores. Knows nothing of training.
class Evaluator {
 public:
  /// `run`, `environment`, `rewards` and `config` must outlive it.
  Evaluator(Run& run, Environment& environment, RewardSum& rewards, const EvaluationConfig& config,
            std::int64_t max_turns = CollectPlan{}.max_turns, std::int64_t max_episode_tokens = 0);

  /// eval/reward, eval/<reward>/mean, eval/completions/mean_length, eval/distinct_2 (greedy) and, when asked for, the same
  /// under eval_sampled/. Samples of the greedy episodes stay readable until the next call.
  MetricValues evaluate();
  const std::vector<Episode>& episodes() const { return episodes_; }

 private:
  void evaluate_as(const std::string& prefix, const SamplingConfig& sampling, std::int64_t samples,
                   MetricValues& metrics);

  Run& run_;
  Environment& environment_;
  RewardSum& rewards_;
  const EvaluationConfig& config_;
  std::int64_t max_turns_, max_episode_tokens_;
  std::vector<Episode> episodes_;
};

/// The figures of an evaluation that the final table shows, under titles such as "reward (greedy)": the reward, each part
/// when there are several, and distinct-2 when the completions have words.
MetricValues headline_metrics(const MetricValues& metrics);

/// Shares of pairs of adjacent tokens that are different among all texts' (Li et al. 2016, distinct-2), by words.
double distinct_2(const std::vector<Episode>& episodes);

}  // namespace hone
