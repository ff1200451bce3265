#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rollout/collect.h"

namespace hone {

/// Groups of episodes that are generated over several iterations, so that a few long ones do not hold up the others
/// ("partial rollouts", Kimi k1.5 2025). A round gives every open completion at most `token_budget` tokens:
///
///     iteration 1   A B C D E F     A C D end: the oldest two, A and C, are learned from
///     iteration 2   B D E F + G H   B, E and F go on where they stopped, with the weights of now
///
/// Keys and values of what was written are computed anew by these weights. With weights that stay as they are the
/// completions are bit for bit those that one call draws.
class InFlight {
 public:
  /// `samples` episodes a group.
  explicit InFlight(std::int64_t samples) : samples_(samples) {}

  /// Whole groups, after those that are there.
  void add(std::vector<Episode> episodes);
  /// One round of all that are open. `plan` as in play, with a token_budget.
  void advance(Engine& engine, const Tokenizer& tokenizer, Environment& environment, const SamplingConfig& sampling,
               const CollectPlan& plan);
  /// Groups, and those of them in which every episode has ended.
  std::int64_t groups() const { return static_cast<std::int64_t>(episodes_.size()) / samples_; }
  std::int64_t ended() const;
  /// The oldest `count` groups that have ended, numbered from 0.
  std::vector<Episode> take(std::int64_t count);

  /// In order of age: what a checkpoint keeps.
  const std::vector<Episode>& episodes() const { return episodes_; }

 private:
  bool has_ended(std::int64_t group) const;

  std::int64_t samples_;
  std::vector<Episode> episodes_;
};

}  // namespace hone
