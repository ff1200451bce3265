#include "stages/rl_config.h"

#include <algorithm>

#include "base/format.h"
#include "stages/stage_prompts.h"

namespace hone {

void RlConfig::describe_collection(Fields& f) {
  f.component("environment", environment, "Where prompts come from and what answers the policy.");
  f.required();
  f.components("rewards", rewards, "What judges episodes; the sum of weight × value is the reward. Gates, clipping and normalisation: docs/rewards.md.");
  f.required();
  f.section("sampling", sampling, "How completions are drawn.");
  f.section("engine", engine, "Generation.");
  f.choice("truncated_sampling", truncated_sampling, truncated_sampling_names,
           "Truncation (top_k, top_p, min_p), penalties, biases and bans make the sampled distribution another than the "
           "trained one: refuse them, or correct with importance weights (importance.cap).");
  f.field("dynamic_sampling", dynamic_sampling,
          "Leave groups out whose rewards are all equal, and generate others in their place, in at most so many further "
          "rounds; 0: off.",
          at_least(0));
  f.field("iterations", iterations, "Collections of episodes.", at_least(1));
  f.field("prompts", prompts, "Prompts an iteration.", at_least(1));
  f.field("samples", samples, "Episodes a prompt.", at_least(1));
  f.field("epochs", epochs, "Passes over an iteration's episodes.", at_least(1));
  f.field("minibatch", minibatch, "Episodes an optimizer step.", at_least(1));
  describe_passes(f, tokens_per_pass, gradient_checkpointing, memory);
  f.field("max_turns", max_turns, "Completions after which a multi-turn episode is cut.", at_least(1));
  f.field("max_episode_tokens", max_episode_tokens,
          "No turn begins once the policy wrote so many tokens in the episode; 0: no limit. A turn's own limit is "
          "sampling.max_tokens.",
          at_least(0));
}

void RlConfig::describe_loss(Fields& f) {
  f.section("optimizer", optimizer, "AdamW and its schedule.");
  f.field("average_decay", average_decay,
          "Keep an exponential mean of the policy's weights with this decay (0.999); it is what is evaluated and what the "
          "stage ends with, while the weights that learn draw the episodes. 0: none.",
          {.low = 0, .high = 1, .open_high = true});
  f.field("max_skipped_updates", max_skipped_updates,
          "Updates in a row that a gradient which is not finite may cost before the run stops.", at_least(0));
  f.choice("ratio", ratio, ratio_level_names, "The probability ratio of each token, or the geometric mean over its episode.");
  f.choice("clip", clip, clip_kind_names,
           "surrogate: PPO's pessimistic bound. detached: the clipped ratio is a constant factor of -A·logprob, so that no token "
           "loses its gradient. soft: a sigmoid of the ratio that fades instead of ending.");
  f.field("clip_low", clip_low, "The probability ratio is clipped at 1 - clip_low.", between(0, 1));
  f.field("clip_high", clip_high, "… and at 1 + clip_high.", at_least(0));
  f.field("dual_clip", dual_clip, "Bounds the ratio of tokens with negative advantage; 0: off.", at_least(0));
  f.choice("aggregation", aggregation, aggregation_names, "How token losses become one number.");
  f.field("constant_length", constant_length,
          "The length that constant_length divides by; 0: max_episode_tokens, else sampling.max_tokens.", at_least(0));
  f.field("entropy_coefficient", entropy_coefficient, "Weight of the entropy bonus.", at_least(0));
  f.field("entropy_target", entropy_target,
          "Entropy in nats a token that the bonus aims at: its weight then grows by entropy_step after each iteration below "
          "it, shrinks above it, and is not given above it.",
          at_least(0));
  f.field("entropy_step", entropy_step, "How fast.", above(0));
  f.section("covariance", covariance, "Control of entropy by the covariance of log-probabilities and advantages.");
  f.section("importance", importance, "Samples of another distribution than the policy's.");
  f.field("missing_eos_penalty", missing_eos_penalty, "Subtracted from the score of a truncated episode.", at_least(0));
  f.field("mask_truncated", mask_truncated, "Truncated episodes are judged and compared but not learned from.");
}

void RlConfig::describe_guards(Fields& f) {
  f.section("kl", kl, "Penalty for leaving the stage's first weights.");
  f.field("target_kl", target_kl, "End an iteration's epochs once the policy moved so far (nats a token); 0: never.",
          at_least(0));
  f.field("max_error_share", max_error_share,
          "Share of episodes with a failed reward, of those that error_window iterations have, above which the run saves and "
          "stops with exit code 69. Failed episodes are never learned from.",
          between(0, 1));
  f.field("error_window", error_window, "The last iterations over which failures are counted.", at_least(1));
  f.field("constant_reward_patience", constant_reward_patience,
          "Iterations in a row with scores that are all equal (or all 0) after which the run saves and stops; each gets a "
          "warning. 0: warnings only.",
          at_least(0));
  f.field("shuffle_rewards", shuffle_rewards,
          "Control experiment: give every episode the score of another one. Nothing should be learned.");
  f.section("rollout", rollout, "Keeping rollouts in a file, and using kept ones.");
  f.section("past", past, "Learning again from earlier iterations' episodes.");
  f.section("curriculum", curriculum, "Easier environments before this one, by success rate.");
  f.check(curriculum.levels.empty() || !rollout.replay, "curriculum", "a replay has its prompts already");
  f.section("evaluation", evaluation, "Held-out evaluation.");
  f.section("stop_when", stop_when, "Ends the stage early.");
  f.field("checkpoint_every", checkpoint_every, "Iterations between checkpoints; 0: only the last.", at_least(0));
}

void RlConfig::check_rules(Fields& f) const {
  f.check(minibatch <= prompts * samples, "minibatch", "must not exceed prompts × samples");
  f.check(dynamic_sampling == 0 || !rollout.replay, "dynamic_sampling", "a replay has its groups already");
  f.check(dynamic_sampling == 0 || samples > 1, "dynamic_sampling", "compares the episodes of a prompt: samples must be at "
                                                                     "least 2");
  f.check(rollout.weights == RolloutWeights::trained || importance.recompute, "rollout",
          "weights: int8 draws from another distribution than the trained one: set importance.recompute: true");
  f.check(past.groups == 0 || (curriculum.levels.empty() && !rollout.replay), "past",
          "past groups go without a curriculum and without a replay");
  f.check(rollout.token_budget == 0 || (curriculum.levels.empty() && dynamic_sampling == 0), "rollout",
          "token_budget goes without a curriculum and without dynamic_sampling");
  f.check(rollout.token_budget < sampling.max_tokens || rollout.token_budget == 0, "rollout",
          "token_budget must be less than sampling.max_tokens: otherwise every completion is drawn at once");
  f.check(past.groups <= prompts, "past", "groups must not exceed prompts");
  f.check(!entropy_target || entropy_coefficient > 0, "entropy_target", "needs an entropy_coefficient to start from");
  f.check(dual_clip == 0 || dual_clip > 1, "dual_clip", "must be above 1, or 0 for off");
  f.check(sampling.temperature > 0, "sampling", "temperature must be above 0: greedy samples teach nothing");
  f.check(truncated_sampling == TruncatedSampling::correct || !sampling.reshapes(), "truncated_sampling",
          "sampling truncates, penalises, biases or bans tokens: set truncated_sampling: correct, or switch that off");
}

void RlConfig::describe(Fields& f) {
  describe_collection(f);
  describe_loss(f);
  describe_guards(f);
  check_rules(f);
}

std::int64_t RlConfig::optimizer_steps(std::int64_t without) const {
  // The first iteration has no past.
  const std::int64_t first = without == 0 && iterations > 0 ? 1 : 0;
  const std::int64_t others = std::max<std::int64_t>(0, iterations - without - first);
  return epochs * (first * minibatches(episodes()) + others * minibatches(episodes() + past.groups * samples));
}

std::int64_t RlConfig::reach() const {
  const std::int64_t ahead = rollout.max_lag + (past.groups > 0 ? past.iterations : 0);
  if (rollout.token_budget == 0) return ahead;
  const auto shares = [](std::int64_t whole, std::int64_t part) { return (whole + part - 1) / part; };
  // An iteration has one round at least; then those that ended wait for older ones.
  const std::int64_t rounds = max_turns * shares(sampling.max_tokens, rollout.token_budget);
  return ahead + rounds + shares(prompts + rollout.spare_prompts, prompts);
}

std::int64_t RlConfig::length_constant() const {
  if (constant_length > 0) return constant_length;
  return max_episode_tokens > 0 ? max_episode_tokens : sampling.max_tokens;
}

PolicyLossOptions RlConfig::policy_loss_options() const {
  return {.clip_low = clip_low, .clip_high = clip_high, .dual_clip = dual_clip, .ratio = ratio, .clip = clip};
}

EntropyController RlConfig::entropy_controller() const {
  return entropy_target ? EntropyController::adaptive(entropy_coefficient, *entropy_target, entropy_step)
                        : EntropyController::fixed(entropy_coefficient);
}

std::vector<std::string> RlConfig::data_names() const {
  std::vector<std::string> names;
  for (const auto& level : curriculum.levels) add_data_names(level.get(), names);
  add_data_names(environment.get(), names);
  add_data_names(evaluation.environment.get(), names);
  return names;
}

void RlConfig::require_prompts(Run& run) const {
  for (const auto& level : curriculum.levels) hone::require_prompts(run, *level, Split::train);
  hone::require_prompts(run, *environment, Split::train);
  evaluation.require_prompts(run, *environment);
}

StageArithmetic RlConfig::arithmetic() const {
  const std::int64_t tokens = episodes() * sampling.max_tokens;
  const std::int64_t learned = episodes() + past.groups * samples;
  const std::string old = past.groups == 0 ? "" : fmt::format(" + {} past groups", past.groups);
  return {{"episodes an iteration", fmt::format("{} prompts × {} samples{} = {}", prompts, samples, old, learned)},
          {"tokens an iteration", fmt::format("≤ {} × {} = {}", episodes(), sampling.max_tokens, format_count(tokens))},
          {"optimizer steps an iteration", fmt::format("{} epochs × {} minibatches of {} = {}", epochs, minibatches(learned),
                                                       minibatch, epochs * minibatches(learned))},
          {"iterations", std::to_string(iterations)},
          {"optimizer steps", format_count(optimizer_steps())},
          {"episodes", format_count(iterations * episodes())}};
}

}  // namespace hone
