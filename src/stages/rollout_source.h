#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "nn/sampling_copy.h"
#include "rollout/in_flight.h"
#include "rollout/record.h"
#include "rollout/replay.h"
#include "rollout/rollout.h"
#include "stages/curriculum.h"
#include "stages/rl_config.h"
#include "stages/run.h"
#include "stages/trainer_state.h"

namespace hone {

/// Where a stage's scored episodes come from, iteration by iteration: generated, or replayed from a record.
///
///     max_lag 0   generate 1 ─ score 1 ─ learn 1 ─ generate 2 …     scoring overlaps the generation of other groups
///     max_lag 1   generate 1 ─ generate 2 ─ learn 1 ─ generate 3 ─ learn 2 …
///                              score 1 ────┘          score 2 ───┘  slow rewards do not hold up the engine
///     token_budget: long episodes are generated over several iterations (rollout/in_flight.h)
class RolloutSource {
 public:
  /// All borrowed objects outlive it. `greedy`: each prompt of an iteration is also answered greedily.
  RolloutSource(Run& run, const RlConfig& config, const std::string& stage, bool greedy = false);

  Environment& environment() { return curriculum_.target(); }
  RewardSum& rewards() { return *rewards_; }

  /// Writes what is collected to rollout.record from here on; `iteration` are done.
  void open_record(std::int64_t iteration);
  /// The scored episodes of `iteration`. With max_lag 1, and unless it is the `last`, the next ones are generated before
  /// their scores are waited for.
  std::vector<Episode> next(std::int64_t iteration, bool last, MetricValues& metrics);
  /// The score of the greedy answer to each group of the last next(), by group; NaN where it failed.
  const std::vector<double>& greedy_scores() const { return greedy_scores_; }
  /// The iteration is complete: exchange() saves what comes after it.
  void iteration_done();
  void exchange(TrainerState& state);

 private:
  struct Generated {
    std::unique_ptr<Rollout> rollout;
    std::size_t level = 0;  ///< of the curriculum
  };
  struct Saved {
    std::vector<Episode> episodes;
    std::size_t level = 0;
  };
  /// `round` 0, and with dynamic sampling more.
  Generated generate(std::int64_t iteration, std::int64_t round = 0);
  CollectPlan plan(std::int64_t iteration, std::int64_t round) const;
  /// Leaves groups out that teach nothing and generates others until there are enough, or no rounds left.
  /// The weights that draw, while it lives; null: those that are trained.
  std::unique_ptr<SamplingCopy::Use> drawing_weights();
  void fill_up(std::vector<Episode>& episodes, std::int64_t iteration, MetricValues& metrics);
  void answer_greedily(std::span<const Episode> episodes, std::size_t level, std::int64_t iteration);
  std::vector<Episode> replayed(std::int64_t iteration);
  /// Goes on with what is in flight until there are enough groups.
  std::vector<Episode> continued(std::int64_t iteration, MetricValues& metrics);
  void shuffle_scores(std::vector<Episode>& episodes, std::int64_t iteration) const;

  Run& run_;
  const RlConfig& config_;
  const std::string& stage_;
  Curriculum curriculum_;
  std::unique_ptr<RewardSum> rewards_;
  Engine engine_;
  std::optional<SamplingCopy> cheap_;  ///< rollout.weights: int8
  bool greedy_;
  std::vector<double> greedy_scores_;
  std::unique_ptr<RolloutReplay> replay_;
  std::unique_ptr<RolloutRecord> record_;
  Generated ahead_;                 ///< for the next iteration (max_lag 1)
  Saved ahead_unscored_;            ///< what ahead_ held when the last complete iteration ended
  Saved made_ahead_;                ///< the same for the iteration that is under way
  InFlight in_flight_;                    ///< with a token_budget
  std::vector<Episode> still_in_flight_;  ///< what it held when the last complete iteration ended
  std::vector<double> statistics_;  ///< of the rewards when the last complete iteration ended
};

}  // namespace hone
