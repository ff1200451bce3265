#pragma once

#include "rollout/collect.h"
#include "rollout/scoring.h"

namespace hone {

/// One collection from prompts to scored episodes; groups are scored while others are still being generated.
class Rollout {
 public:
  /// Starts the episodes. The rewards must outlive it.
  Rollout(const Tokenizer& tokenizer, const Environment& environment, RewardSum& rewards,
          std::span<const std::uint64_t> prompt_indices, CollectPlan plan)
      : plan_(plan),
        episodes_(start_episodes(tokenizer, environment, prompt_indices, plan)),
        scoring_(rewards, episodes_) {}

  /// Episodes that an earlier process generated.
  Rollout(RewardSum& rewards, std::vector<Episode> episodes, CollectPlan plan)
      : plan_(std::move(plan)), episodes_(std::move(episodes)), scoring_(rewards, episodes_) {}

  /// Before scored() they have no scores.
  const std::vector<Episode>& episodes() const { return episodes_; }

  void score_all() { scoring_.ready(0, episodes_.size()); }

  void generate(Engine& engine, const Tokenizer& tokenizer, Environment& environment, const SamplingConfig& sampling) {
    play(engine, tokenizer, environment, sampling, plan_, episodes_,
         [this](std::size_t first, std::size_t count) { scoring_.ready(first, count); });
  }

  /// Waits for the scores. Once.
  std::vector<Episode> scored(ScoreUse use) {
    scoring_.finish(use);
    return std::move(episodes_);
  }

 private:
  CollectPlan plan_;
  std::vector<Episode> episodes_;
  Scoring scoring_;
};

}  // namespace hone
