#include "stages/evaluation.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "base/random.h"
#include "rollout/rollout.h"
#include "stages/stage_prompts.h"

namespace hone {

namespace {

/// Mean of each reward part over the episodes that have it.
std::map<std::string, double> part_means(const std::vector<Episode>& episodes) {
  std::map<std::string, std::pair<double, double>> sums;
  for (const Episode& episode : episodes) {
    for (const auto& [name, value] : episode.score.parts) {
      sums[name].first += value;
      sums[name].second += 1;
    }
  }
  std::map<std::string, double> means;
  for (const auto& [name, sum] : sums) means[name] = sum.first / sum.second;
  return means;
}

}  // namespace

double distinct_2(const std::vector<Episode>& episodes) {
  std::set<std::pair<std::string, std::string>> distinct;
  std::int64_t pairs = 0;
  for (const Episode& episode : episodes) {
    std::istringstream words(episode.completion_text());
    std::string before, word;
    for (words >> before; words >> word; before = word) {
      distinct.emplace(before, word);
      ++pairs;
    }
  }
  return pairs == 0 ? 0.0 : static_cast<double>(distinct.size()) / static_cast<double>(pairs);
}

void EvaluationConfig::require_prompts(Run& run, const EnvironmentSpec& own) const {
  hone::require_prompts(run, environment ? *environment : own, Split::held_out, static_cast<std::uint64_t>(prompts));
}

Evaluator::Evaluator(Run& run, Environment& environment, RewardSum& rewards, const EvaluationConfig& config,
                     std::int64_t max_turns, std::int64_t max_episode_tokens)
    : run_(run),
      environment_(environment),
      rewards_(rewards),
      config_(config),
      max_turns_(max_turns),
      max_episode_tokens_(max_episode_tokens) {}

MetricValues Evaluator::evaluate() {
  MetricValues metrics;
  // Sampled first, so that the episodes that stay are the greedy ones.
  if (config_.sampled) evaluate_as("eval_sampled/", config_.sampling, config_.samples, metrics);
  evaluate_as("eval/", config_.sampling.greedy(), 1, metrics);
  return metrics;
}

void Evaluator::evaluate_as(const std::string& prefix, const SamplingConfig& sampling, std::int64_t samples,
                            MetricValues& metrics) {
  const std::uint64_t count = std::min<std::uint64_t>(static_cast<std::uint64_t>(config_.prompts),
                                                      environment_.size(Split::held_out));
  std::vector<std::uint64_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  Engine engine(*run_.model, *run_.tokenizer, config_.engine);
  Rollout rollout(*run_.tokenizer, environment_, rewards_, indices,
                  {.split = Split::held_out,
                   .samples = samples,
                   .key = stream_key(run_.seed, "evaluation"),
                   .max_turns = max_turns_,
                   .max_episode_tokens = max_episode_tokens_});
  rollout.generate(engine, *run_.tokenizer, environment_, sampling);
  episodes_ = rollout.scored(ScoreUse::evaluation);
  double score = 0, length = 0, scored = 0;
  for (const Episode& episode : episodes_) {
    length += static_cast<double>(episode.completion_tokens());
    if (episode.score.status != ScoreStatus::ok) continue;
    score += episode.score.value;
    ++scored;
  }
  // Not a 0 where every reward failed.
  metrics.emplace_back(prefix + "reward", scored == 0 ? std::numeric_limits<double>::quiet_NaN() : score / scored);
  for (const auto& [name, mean] : part_means(episodes_)) metrics.emplace_back(prefix + name + "/mean", mean);
  metrics.emplace_back(prefix + "completions/mean_length", length / static_cast<double>(std::max<std::size_t>(episodes_.size(), 1)));
  metrics.emplace_back(prefix + "distinct_2", distinct_2(episodes_));
  const auto errors = count_errors(episodes_);
  if (errors > 0) metrics.emplace_back(prefix + "reward_errors", static_cast<double>(errors));
}

MetricValues headline_metrics(const MetricValues& metrics) {
  MetricValues headlines;
  for (const auto& [prefix, how] : {std::pair{"eval/", " (greedy)"}, std::pair{"eval_sampled/", " (sampled)"}}) {
    MetricValues parts;
    for (const auto& [name, value] : metrics) {
      if (!name.starts_with(prefix)) continue;
      const std::string rest = name.substr(std::string_view(prefix).size());
      if (rest == "reward" || (rest == "distinct_2" && value > 0)) headlines.emplace_back(rest + how, value);
      const bool whole = std::ranges::count(rest, '/') == 1;  // a reward, no part of one
      if (whole && rest.ends_with("/mean")) parts.emplace_back(rest.substr(0, rest.size() - 5) + how, value);
    }
    if (parts.size() > 1) headlines.insert(headlines.end(), parts.begin(), parts.end());
  }
  return headlines;
}

}  // namespace hone
