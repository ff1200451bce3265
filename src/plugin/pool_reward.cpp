#include "plugin/pool_reward.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "plugin/wire.h"

namespace hone {

PoolReward::PoolReward(WorkerSpec spec, const PoolOptions& options, std::uint64_t key)
    : pool_(std::move(spec), options.workers), batch_(options.batch), seconds_(options.timeout.count), key_(key) {
  const Json* scope = pool_.hello().find("scope");
  scope_ = scope == nullptr ? RewardScope::sample : scope_from_name(scope->as_string());
}

std::vector<Score> PoolReward::score(std::span<const Episode> episodes) {
  std::vector<Score> scores(episodes.size());
  // Two episodes that crash the plug-in are found with so many crashes; one that always crashes is not asked for ever.
  Attempt attempt{seconds_from_now(seconds_), 2 * static_cast<int>(std::bit_width(episodes.size())) + 1};
  score_into(episodes, scores, attempt);
  return scores;
}

void PoolReward::score_into(std::span<const Episode> episodes, std::span<Score> scores, Attempt& attempt) {
  if (episodes.empty()) return;
  Json::Array items;
  items.reserve(episodes.size());
  for (const Episode& episode : episodes) items.push_back(item_json(episode, episode_seed(key_, episode)));
  const PluginWorker::Result result = pool_.call("score", std::move(items), seconds_);
  if (const Json* answers = std::get_if<Json>(&result)) {
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = score_from_json(answers->as_array()[i]);
    return;
  }
  const auto& failure = std::get<PluginFailure>(result);
  const bool crashed = failure.reason == "crash";
  if (crashed && scope_ == RewardScope::sample && episodes.size() > 1 && --attempt.crashes_left > 0 &&
      std::chrono::steady_clock::now() < attempt.deadline) {
    const std::size_t half = episodes.size() / 2;
    score_into(episodes.first(half), scores.first(half), attempt);
    score_into(episodes.subspan(half), scores.subspan(half), attempt);
    return;
  }
  std::ranges::fill(scores, Score::error(failure.why, failure.reason));
}

}  // namespace hone
