#include "stages/rl_sections.h"

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
  f.field("ratio_weighted", ratio_weighted,
          "Multiply the term of the loss by the probability ratio, which gives k3 the gradient of the reverse KL too.");
  f.field("reference", reference, "A model directory, or the name of an earlier stage, whose weights are the reference; by "
                                  "default those that the stage starts from.");
  f.field("reference_every", reference_every, "Iterations after which the reference moves towards the policy; 0: never.",
          at_least(0));
  f.field("reference_mix", reference_mix,
          "How far: 1 puts the policy in its place, less makes it a moving average (reference ← (1 - mix)·reference + "
          "mix·policy).",
          Range{.low = 0, .high = 1, .open_low = true});
  f.check(place != KlPlace::loss || estimator != KlEstimator::k1, "estimator",
          "k1 has no gradient on average when it is a term of the loss; use k2");
  f.check(place != KlPlace::reward || estimator == KlEstimator::k1, "estimator",
          "only k1 is an unbiased penalty in the reward");
  f.check(place == KlPlace::loss || !ratio_weighted, "ratio_weighted", "belongs to place: loss");
  f.check(place != KlPlace::off || (!reference && reference_every == 0), "place",
          "a reference is measured against only with place: reward or loss");
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
  f.field("token_budget", token_budget,
          "Partial rollouts: a completion gets so many tokens at a time; longer ones go on in the next iteration, with the "
          "weights of then, while others are learned from. 0: every completion is drawn at once.",
          at_least(0));
  f.field("spare_prompts", spare_prompts,
          "Prompts in flight beside those that an iteration learns from; each iteration takes the oldest whose answers have "
          "all ended.",
          at_least(0));
  f.check((token_budget > 0) == (spare_prompts > 0), "token_budget",
          "goes with spare_prompts: prompts that are answered beside those that an iteration learns from");
  f.check(token_budget == 0 || (max_lag == 0 && !replay), "token_budget", "goes without max_lag and without a replay");
  f.choice("weights", weights, rollout_weights_names,
           "int8: episodes are drawn from a copy of the matrices in 8-bit integers, which is made anew each iteration: faster, "
           "and another distribution than the trained one, so it goes with importance.recompute.");
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

void ImportanceConfig::describe(Fields& f) {
  f.field("recompute", recompute,
          "Compute old log-probabilities anew before an iteration's first step and correct with weights old/sampled: for "
          "lagging, replayed and past episodes. Otherwise the ratio is against the sampler.");
  f.choice("level", level, ratio_level_names, "Weights of single tokens, or their product over the episode.");
  f.field("cap", cap, "Largest weight.", above(0));
  f.field("token_low", token_low, "A token whose weight is below this teaches nothing (IcePop).", at_least(0));
  f.field("token_high", token_high, "… or above this.", at_least(0));
  f.field("sequence_low", sequence_low, "An episode whose geometric mean weight is below this teaches nothing.",
          at_least(0));
  f.field("sequence_high", sequence_high, "… or above this.", at_least(0));
  f.field("stale_above", stale_above,
          "Episodes with a negative advantage teach nothing once the policy is so far from their sampler (mean of sampled - "
          "current log-probability, nats a token).");
  f.check(!token_low || !token_high || *token_low <= *token_high, "token_low", "must not be above token_high");
  f.check(!sequence_low || !sequence_high || *sequence_low <= *sequence_high, "sequence_low",
          "must not be above sequence_high");
}

ImportanceOptions ImportanceConfig::options() const {
  const auto band = [](const std::optional<double>& low, const std::optional<double>& high) {
    WeightBand band;
    return WeightBand{low.value_or(band.low), high.value_or(band.high)};
  };
  return {.level = level,
          .cap = cap,
          .token = band(token_low, token_high),
          .sequence = band(sequence_low, sequence_high)};
}

void CovarianceConfig::describe(Fields& f) {
  f.choice("control", control, covariance_control_names,
           "clip: some tokens whose log-probability and advantage are large together teach nothing. kl: those where they are "
           "largest are held near the old policy.");
  f.field("share", share, "Share of the iteration's tokens that are picked, at least one.", Range{.low = 0, .high = 1, .open_low = true});
  f.field("low", low, "clip: covariances above this …");
  f.field("high", high, "… and below this are drawn from.");
  f.field("coefficient", coefficient, "kl: what |logprob - old_logprob| costs.", at_least(0));
  f.check(low < high, "low", "must be below high");
}

void PastConfig::describe(Fields& f) {
  f.field("groups", groups, "Groups of earlier iterations, drawn at random, that each iteration learns from beside its own; "
                            "0: none.",
          at_least(0));
  f.field("iterations", iterations, "How many iterations back they may come from.", at_least(1));
}

}  // namespace hone
