#include "stages/rollout_source.h"

#include <utility>

#include "base/random.h"
#include "rollout/saved_episodes.h"
#include "stages/packed_forward.h"

namespace hone {

RolloutSource::RolloutSource(Run& run, const RlConfig& config, const std::string& stage)
    : run_(run),
      config_(config),
      stage_(stage),
      curriculum_(config.curriculum, *config.environment, run.services(), stage),
      rewards_(std::make_unique<RewardSum>(config.rewards, run.services())),
      engine_(*run.model, *run.tokenizer, config.engine),
      statistics_(rewards_->statistics()) {
  if (!config_.rollout.replay) return;
  replay_ = std::make_unique<RolloutReplay>(*config_.rollout.replay, environment(), *run.tokenizer,
                                            ReplayNeeds{.iterations = config_.iterations,
                                                        .episodes = config_.episodes(),
                                                        .samples = config_.samples,
                                                        .context = engine_.context()});
}

void RolloutSource::open_record(std::int64_t iteration) {
  if (config_.rollout.record) record_ = std::make_unique<RolloutRecord>(*config_.rollout.record, iteration);
}

CollectPlan RolloutSource::plan(std::int64_t iteration) const {
  return {.split = Split::train,
          .samples = config_.samples,
          .key = stream_key(run_.seed, "rollout/" + stage_),
          .visit = static_cast<std::uint64_t>(iteration),
          .max_turns = config_.max_turns,
          .max_episode_tokens = config_.max_episode_tokens};
}

RolloutSource::Generated RolloutSource::generate(std::int64_t iteration) {
  const std::size_t level = curriculum_.level();
  Environment& environment = curriculum_.environment(level);
  const std::vector<std::uint64_t> indices = curriculum_.next_prompts(config_.prompts);
  auto rollout = std::make_unique<Rollout>(*run_.tokenizer, environment, *rewards_, indices, plan(iteration));
  rollout->generate(engine_, *run_.tokenizer, environment, config_.sampling);
  return {std::move(rollout), level};
}

std::vector<Episode> RolloutSource::next(std::int64_t iteration, bool last, MetricValues& metrics) {
  rewards_->set_iteration(iteration - 1);
  std::vector<Episode> episodes;
  if (replay_ != nullptr) {
    curriculum_.next_prompts(config_.prompts);
    episodes = replayed(iteration);
  } else {
    const Generated now = ahead_.rollout != nullptr ? std::exchange(ahead_, {}) : generate(iteration);
    if (config_.rollout.max_lag > 0 && !last) {
      ahead_ = generate(iteration + 1);
      made_ahead_ = {ahead_.rollout->episodes(), ahead_.level};
    }
    episodes = now.rollout->scored(ScoreUse::training);
    curriculum_.observe(now.level, episodes, metrics);
  }
  if (config_.shuffle_rewards) shuffle_scores(episodes, iteration);
  if (record_ != nullptr) record_->write(iteration, episodes);
  return episodes;
}

std::vector<Episode> RolloutSource::replayed(std::int64_t iteration) {
  std::vector<Episode> episodes = replay_->iteration(iteration, run_.model->store.version());
  if (!replay_->has_logprobs()) {
    fill_logprobs(*run_.model, episodes, config_.sampling.inverse_temperature(), config_.tokens_per_pass);
  }
  if (!replay_->has_scores()) rewards_->score(episodes);
  return episodes;
}

void RolloutSource::shuffle_scores(std::vector<Episode>& episodes, std::int64_t iteration) const {
  std::vector<Score> scores;
  for (const Episode& episode : episodes) scores.push_back(episode.score);
  Random(stream_key(run_.seed, "shuffle/" + stage_), static_cast<std::uint64_t>(iteration)).shuffle(scores);
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    episodes[i].score = scores[i];
    episodes[i].score.spans.clear();  // they point into another episode
  }
}

void RolloutSource::iteration_done() {
  curriculum_.iteration_done();
  ahead_unscored_ = std::exchange(made_ahead_, {});
  statistics_ = rewards_->statistics();
}

void RolloutSource::exchange(TrainerState& state) {
  if (!state.restoring() && record_ != nullptr) record_->sync();
  curriculum_.exchange(state);
  for (std::size_t i = 0; i < statistics_.size(); ++i) {
    state.value("reward_statistics/" + std::to_string(i), statistics_[i]);
  }
  Json ahead = state.restoring() ? Json() : save_episodes(ahead_unscored_.episodes);
  state.value("episodes_ahead", ahead);
  auto level = static_cast<std::int64_t>(ahead_unscored_.level);
  state.value("episodes_ahead/level", level);
  if (!state.restoring()) return;
  rewards_->restore_statistics(statistics_);
  ahead_unscored_.level = static_cast<std::size_t>(level);
  ahead_unscored_.episodes = restore_episodes(ahead, curriculum_.environment(ahead_unscored_.level));
  if (ahead_unscored_.episodes.empty()) return;
  ahead_ = {std::make_unique<Rollout>(*rewards_, ahead_unscored_.episodes, CollectPlan{}), ahead_unscored_.level};
  ahead_.rollout->score_all();
}

}  // namespace hone
