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
      environment_(config.environment->make(run.services())),
      rewards_(std::make_unique<RewardSum>(config.rewards, run.services())),
      engine_(*run.model, *run.tokenizer, config.engine),
      prompts_(run.seed, "prompts/" + stage, environment_->size(Split::train)),
      statistics_(rewards_->statistics()) {
  if (!config_.rollout.replay) return;
  replay_ = std::make_unique<RolloutReplay>(*config_.rollout.replay, *environment_, *run.tokenizer,
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

std::unique_ptr<Rollout> RolloutSource::generate(std::int64_t iteration) {
  const std::vector<std::uint64_t> indices = prompts_.next(static_cast<std::uint64_t>(config_.prompts));
  auto rollout = std::make_unique<Rollout>(*run_.tokenizer, *environment_, *rewards_, indices, plan(iteration));
  rollout->generate(engine_, *run_.tokenizer, *environment_, config_.sampling);
  return rollout;
}

std::vector<Episode> RolloutSource::next(std::int64_t iteration, bool last) {
  rewards_->set_iteration(iteration - 1);
  std::vector<Episode> episodes;
  if (replay_ != nullptr) {
    prompts_.next(static_cast<std::uint64_t>(config_.prompts));
    episodes = replayed(iteration);
  } else {
    const std::unique_ptr<Rollout> rollout = ahead_ != nullptr ? std::move(ahead_) : generate(iteration);
    if (config_.rollout.max_lag > 0 && !last) {
      ahead_ = generate(iteration + 1);
      made_ahead_ = ahead_->episodes();
    }
    episodes = rollout->scored(ScoreUse::training);
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
  cursor_ = prompts_.cursor();
  ahead_unscored_ = std::exchange(made_ahead_, {});
  statistics_ = rewards_->statistics();
}

void RolloutSource::exchange(TrainerState& state) {
  if (!state.restoring()) {
    prompts_.seek(cursor_);
    if (record_ != nullptr) record_->sync();
  }
  state.order("prompts", prompts_);
  for (std::size_t i = 0; i < statistics_.size(); ++i) {
    state.value("reward_statistics/" + std::to_string(i), statistics_[i]);
  }
  Json ahead = state.restoring() ? Json() : save_episodes(ahead_unscored_);
  state.value("episodes_ahead", ahead);
  if (!state.restoring()) return;
  cursor_ = prompts_.cursor();
  rewards_->restore_statistics(statistics_);
  ahead_unscored_ = restore_episodes(ahead, *environment_);
  if (!ahead_unscored_.empty()) {
    ahead_ = std::make_unique<Rollout>(*rewards_, ahead_unscored_, CollectPlan{});
    ahead_->score_all();
  }
}

}  // namespace hone
