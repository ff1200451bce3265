#include "stages/rl_config.h"

#include "base/format.h"

namespace hone {

void KlConfig::describe(Fields& f) {
  f.choice("place", place, kl_place_names,
           "Where the divergence from the stage's first weights is charged: to the reward of each token, or as a term of "
           "the loss.");
  f.choice("estimator", estimator, kl_estimator_names,
           "k1 = d, k2 = d²/2, k3 = expm1(-d) + d with d = logprob - ref_logprob. In the reward only k1 is exact, in the "
           "loss k2 has the right gradient.");
  f.field("coefficient", coefficient, "Factor of the penalty.", at_least(0));
  f.choice("control", control, kl_control_names, "Keep the coefficient, or steer it towards a target.");
  f.field("target", target, "Divergence that the adaptive control aims at, nats an episode.", above(0));
  f.field("horizon", horizon, "Episodes over which the adaptive control reacts.", above(0));
  f.check(place != KlPlace::loss || estimator != KlEstimator::k1, "estimator",
          "k1 has no gradient on average when it is a term of the loss; use k2");
  f.check(place != KlPlace::reward || estimator == KlEstimator::k1, "estimator",
          "only k1 is an unbiased penalty in the reward");
}

KlController KlConfig::controller() const {
  const double start = place == KlPlace::off ? 0.0 : coefficient;
  return control == KlControl::adaptive ? KlController::adaptive(start, target, horizon) : KlController::fixed(start);
}

void RolloutConfig::describe(Fields& f) {
  f.field("record", record, "Write every training episode with its log-probabilities and scores to this file (JSON lines); "
                            "what it held before is replaced.");
  f.field("replay", replay, "Learn from the episodes of such a file instead of generating; prompts must be this run's.");
  f.check(!record || !replay || *record != *replay, "record", "must not be the file that is replayed");
  f.field("max_lag", max_lag,
          "1: the next episodes are generated before these are learned from, so that slow rewards do not hold up the engine. "
          "The ratio is then against the weights that generated.",
          between(0, 1));
  f.check(max_lag == 0 || !replay, "max_lag", "must be 0 for a replay");
}

void CompatConfig::describe(Fields& f) {
  f.choice("score_position", score_position, score_position_names,
           "Where the score lands: on the last token, or (TRL) one row later where the episode is shorter than the longest of "
           "the collection; the critic then learns that row too.");
  f.field("micro_batch", micro_batch,
          "The loss is the mean of the token means of so many episodes each (TRL's gradient accumulation); 0: of all tokens of "
          "the minibatch.",
          at_least(0));
  f.field("scale_critic", scale_critic,
          "Multiply a separate critic's loss by critic.coefficient too, as one optimizer for both would have it.");
}

void RlConfig::describe(Fields& f) {
  f.component("environment", environment, "Where prompts come from and what answers the policy.");
  f.required();
  f.components("rewards", rewards, "What judges episodes; the sum of weight × value is the reward. Gates, clipping and normalisation: docs/rewards.md.");
  f.required();
  f.section("sampling", sampling, "How completions are drawn.");
  f.section("engine", engine, "Generation.");
  f.choice("truncated_sampling", truncated_sampling, truncated_sampling_names,
           "Truncation (top_k, top_p, min_p), penalties, biases and bans make the sampled distribution another than the "
           "trained one: refuse them, or correct with importance weights of at most 2.");
  f.field("iterations", iterations, "Collections of episodes.", at_least(1));
  f.field("prompts", prompts, "Prompts an iteration.", at_least(1));
  f.field("samples", samples, "Episodes a prompt.", at_least(1));
  f.field("epochs", epochs, "Passes over an iteration's episodes.", at_least(1));
  f.field("minibatch", minibatch, "Episodes an optimizer step.", at_least(1));
  f.field("tokens_per_pass", tokens_per_pass,
          "Most tokens computed at once; smaller values need less memory and give the same gradient.", at_least(1));
  f.field("max_turns", max_turns, "Completions after which a multi-turn episode is cut.", at_least(1));
  f.field("max_episode_tokens", max_episode_tokens,
          "No turn begins once the policy wrote so many tokens in the episode; 0: no limit. A turn's own limit is "
          "sampling.max_tokens.",
          at_least(0));
  f.section("optimizer", optimizer, "AdamW and its schedule.");
  f.field("max_skipped_updates", max_skipped_updates,
          "Updates in a row that a gradient which is not finite may cost before the run stops.", at_least(0));
  f.field("clip_low", clip_low, "The probability ratio is clipped at 1 - clip_low.", between(0, 1));
  f.field("clip_high", clip_high, "… and at 1 + clip_high.", at_least(0));
  f.field("dual_clip", dual_clip, "Bounds the ratio of tokens with negative advantage; 0: off.", at_least(0));
  f.choice("aggregation", aggregation, aggregation_names, "How token losses become one number.");
  f.field("constant_length", constant_length, "The length that constant_length divides by.", at_least(0));
  f.field("entropy_coefficient", entropy_coefficient, "Weight of the entropy bonus.", at_least(0));
  f.field("missing_eos_penalty", missing_eos_penalty, "Subtracted from the score of a truncated episode.", at_least(0));
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
  f.section("curriculum", curriculum, "Easier environments before this one, by success rate.");
  f.check(curriculum.levels.empty() || !rollout.replay, "curriculum", "a replay has its prompts already");
  f.section("evaluation", evaluation, "Held-out evaluation.");
  f.section("stop_when", stop_when, "Ends the stage early.");
  f.field("checkpoint_every", checkpoint_every, "Iterations between checkpoints; 0: only the last.", at_least(0));
  f.check(minibatch <= prompts * samples, "minibatch", "must not exceed prompts × samples");
  f.check(aggregation != Aggregation::constant_length || constant_length > 0, "constant_length",
          "must be set when aggregation is constant_length");
  f.check(dual_clip == 0 || dual_clip > 1, "dual_clip", "must be above 1, or 0 for off");
  f.check(sampling.temperature > 0, "sampling", "temperature must be above 0: greedy samples teach nothing");
  f.check(truncated_sampling == TruncatedSampling::correct || !sampling.reshapes(), "truncated_sampling",
          "sampling truncates, penalises, biases or bans tokens: set truncated_sampling: correct, or switch that off");
}

StageArithmetic RlConfig::arithmetic() const {
  const std::int64_t tokens = episodes() * sampling.max_tokens;
  return {{"episodes an iteration", fmt::format("{} prompts × {} samples = {}", prompts, samples, episodes())},
          {"tokens an iteration", fmt::format("≤ {} × {} = {}", episodes(), sampling.max_tokens, format_count(tokens))},
          {"optimizer steps an iteration", fmt::format("{} epochs × {} minibatches of {} = {}", epochs, minibatches(),
                                                       minibatch, epochs * minibatches())},
          {"iterations", std::to_string(iterations)},
          {"optimizer steps", format_count(optimizer_steps())},
          {"episodes", format_count(iterations * episodes())}};
}

}  // namespace hone
