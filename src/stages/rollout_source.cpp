#include "stages/rollout_source.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/random.h"
#include "rollout/saved_episodes.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

/// Whether all of them were judged, and alike.
bool teaches_nothing(std::span<const Episode> group) {
  return std::ranges::all_of(group, [&](const Episode& episode) {
    return episode.score.status == ScoreStatus::ok && episode.score.spans.empty() &&
           episode.score.value == group.front().score.value;
  });
}

}  // namespace

RolloutSource::RolloutSource(Run& run, const RlConfig& config, const std::string& stage, bool greedy)
    : run_(run),
      config_(config),
      stage_(stage),
      curriculum_(config.curriculum, *config.environment, run.services(), stage),
      rewards_(std::make_unique<RewardSum>(config.rewards, run.services())),
      engine_(*run.model, *run.tokenizer, config.engine),
      greedy_(greedy),
      in_flight_(config.samples),
      statistics_(rewards_->statistics()) {
  if (config_.rollout.weights == RolloutWeights::int8) cheap_.emplace(run.model->store);
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

CollectPlan RolloutSource::plan(std::int64_t iteration, std::int64_t round) const {
  return {.split = Split::train,
          .samples = config_.samples,
          .key = stream_key(run_.seed, "rollout/" + stage_),
          .visit = static_cast<std::uint64_t>(iteration) | static_cast<std::uint64_t>(round) << 32,
          .max_turns = config_.max_turns,
          .max_episode_tokens = config_.max_episode_tokens,
          .token_budget = config_.rollout.token_budget};
}

std::unique_ptr<SamplingCopy::Use> RolloutSource::drawing_weights() {
  return cheap_ ? std::make_unique<SamplingCopy::Use>(*cheap_) : nullptr;
}

RolloutSource::Generated RolloutSource::generate(std::int64_t iteration, std::int64_t round) {
  const std::size_t level = curriculum_.level();
  Environment& environment = curriculum_.environment(level);
  const std::vector<std::uint64_t> indices = curriculum_.next_prompts(config_.prompts);
  auto rollout = std::make_unique<Rollout>(*run_.tokenizer, environment, *rewards_, indices, plan(iteration, round));
  const auto cheap = drawing_weights();
  rollout->generate(engine_, *run_.tokenizer, environment, config_.sampling);
  return {std::move(rollout), level};
}

std::vector<Episode> RolloutSource::next(std::int64_t iteration, bool last, MetricValues& metrics) {
  rewards_->set_iteration(iteration - 1);
  std::vector<Episode> episodes;
  if (replay_ != nullptr) {
    curriculum_.next_prompts(config_.prompts);
    episodes = replayed(iteration);
  } else if (config_.rollout.token_budget > 0) {
    episodes = continued(iteration, metrics);
    if (greedy_) answer_greedily(episodes, curriculum_.level(), iteration);
  } else {
    const Generated now = ahead_.rollout != nullptr ? std::exchange(ahead_, {}) : generate(iteration);
    if (config_.rollout.max_lag > 0 && !last) {
      ahead_ = generate(iteration + 1);
      made_ahead_ = {ahead_.rollout->episodes(), ahead_.level};
    }
    episodes = now.rollout->scored(ScoreUse::training);
    curriculum_.observe(now.level, episodes, metrics);
    if (config_.dynamic_sampling > 0) fill_up(episodes, iteration, metrics);
    if (greedy_) answer_greedily(episodes, now.level, iteration);
  }
  if (config_.shuffle_rewards) shuffle_scores(episodes, iteration);
  if (record_ != nullptr) record_->write(iteration, episodes);
  return episodes;
}

std::vector<Episode> RolloutSource::continued(std::int64_t iteration, MetricValues& metrics) {
  const CollectPlan plan = this->plan(iteration, 0);
  const std::vector<std::uint64_t> indices =
      curriculum_.next_prompts(config_.prompts + config_.rollout.spare_prompts - in_flight_.groups());
  in_flight_.add(start_episodes(*run_.tokenizer, environment(), indices, plan));
  double rounds = 0;
  {
    const auto cheap = drawing_weights();
    do {
      in_flight_.advance(engine_, *run_.tokenizer, environment(), config_.sampling, plan);
      ++rounds;
    } while (in_flight_.ended() < config_.prompts);
  }
  Rollout rollout(*rewards_, in_flight_.take(config_.prompts), plan);
  rollout.score_all();
  std::vector<Episode> episodes = rollout.scored(ScoreUse::training);
  const auto earlier = std::ranges::count_if(episodes, [&](const Episode& episode) {
    return episode.visit < static_cast<std::uint64_t>(iteration);
  });
  metrics.emplace_back("partial/rounds", rounds);
  metrics.emplace_back("partial/begun_earlier", static_cast<double>(earlier) / static_cast<double>(episodes.size()));
  metrics.emplace_back("partial/in_flight", static_cast<double>(in_flight_.groups()));
  return episodes;
}

void RolloutSource::fill_up(std::vector<Episode>& episodes, std::int64_t iteration, MetricValues& metrics) {
  const auto samples = static_cast<std::size_t>(config_.samples);
  const auto wanted = static_cast<std::size_t>(config_.episodes());
  std::vector<Episode> kept, spare;
  double drawn = 0, reward = 0, judged = 0;
  std::int64_t round = 0;
  for (std::vector<Episode> now = std::move(episodes);; now = generate(iteration, round).rollout->scored(ScoreUse::training)) {
    for (std::size_t first = 0; first < now.size(); first += samples) {
      const std::span group(now.data() + first, samples);
      for (const Episode& episode : group) {
        if (episode.score.status != ScoreStatus::ok) continue;
        reward += episode.score.value;
        ++judged;
      }
      ++drawn;
      std::vector<Episode>& place = kept.size() < wanted && !teaches_nothing(group) ? kept : spare;
      std::ranges::move(group, std::back_inserter(place));
    }
    if (kept.size() == wanted || round == config_.dynamic_sampling) break;
    ++round;
  }
  metrics.emplace_back("dynamic_sampling/rounds", static_cast<double>(round));
  metrics.emplace_back("dynamic_sampling/kept", static_cast<double>(kept.size() / samples) / drawn);
  metrics.emplace_back("dynamic_sampling/reward", judged == 0 ? 0.0 : reward / judged);
  // What is still missing teaches nothing, but keeps batches as long as the arithmetic says.
  for (std::size_t i = 0; kept.size() < wanted; ++i) kept.push_back(std::move(spare[i]));
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i].group = static_cast<std::int64_t>(i / samples);
  episodes = std::move(kept);
}

void RolloutSource::answer_greedily(std::span<const Episode> episodes, std::size_t level, std::int64_t iteration) {
  std::vector<std::uint64_t> indices;
  for (std::size_t i = 0; i < episodes.size(); i += static_cast<std::size_t>(config_.samples)) {
    indices.push_back(episodes[i].prompt.id >> 1);
  }
  CollectPlan plan = this->plan(iteration, 0);
  plan.samples = 1;
  plan.token_budget = 0;
  Environment& environment = curriculum_.environment(level);
  Rollout rollout(*run_.tokenizer, environment, *rewards_, indices, plan);
  rollout.generate(engine_, *run_.tokenizer, environment, config_.sampling.greedy());
  greedy_scores_.clear();
  for (const Episode& episode : rollout.scored(ScoreUse::evaluation)) {
    const bool judged = episode.score.status == ScoreStatus::ok;
    double sum = judged ? episode.score.value : std::numeric_limits<double>::quiet_NaN();
    for (const ScoreSpan& span : episode.score.spans) sum += span.value;
    greedy_scores_.push_back(sum);
  }
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
  still_in_flight_ = in_flight_.episodes();
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
  Json in_flight = state.restoring() ? Json() : save_episodes(still_in_flight_);
  state.value("episodes_in_flight", in_flight);
  if (!state.restoring()) return;
  rewards_->restore_statistics(statistics_);
  still_in_flight_ = restore_episodes(in_flight, environment());
  in_flight_ = InFlight(config_.samples);
  in_flight_.add(still_in_flight_);
  ahead_unscored_.level = static_cast<std::size_t>(level);
  ahead_unscored_.episodes = restore_episodes(ahead, curriculum_.environment(ahead_unscored_.level));
  if (ahead_unscored_.episodes.empty()) return;
  ahead_ = {std::make_unique<Rollout>(*rewards_, ahead_unscored_.episodes, CollectPlan{}), ahead_unscored_.level};
  ahead_.rollout->score_all();
}

}  // namespace hone
