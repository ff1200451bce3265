#include "algo/preference_loss.h"

#include <algorithm>

#include "base/error.h"

namespace hone {
namespace {

/// S(z) of the header.
at::Tensor smoothed_logistic(const at::Tensor& z_P, double smoothing) {
  if (smoothing == 0) return at::softplus(-z_P);
  return (1 - smoothing) * at::softplus(-z_P) + smoothing * at::softplus(z_P);
}

/// log(p / (1 - p)) of p = exp(logprob).
at::Tensor log_odds(const at::Tensor& logprob_P) {
  constexpr double certain = -1e-12;  // a probability of 1 has no odds
  const at::Tensor below_P = logprob_P.clamp_max(certain);
  return below_P - (-at::expm1(below_P)).log();
}

struct Sides {
  at::Tensor chosen_P, rejected_P;
  at::Tensor difference() const { return chosen_P - rejected_P; }
};

Sides log_ratios(const PairLogprobs& pairs, PreferenceLoss loss) {
  if (!has_reference(loss)) return {pairs.chosen_P, pairs.rejected_P};
  HONE_ASSERT(pairs.ref_chosen_P.defined() && pairs.ref_rejected_P.defined());
  return {pairs.chosen_P - pairs.ref_chosen_P, pairs.rejected_P - pairs.ref_rejected_P};
}

at::Tensor comparison(const Sides& sum, const Sides& mean, const PreferenceOptions& options) {
  const double beta = options.beta;
  const double smoothing = options.label_smoothing;
  switch (options.loss) {
    case PreferenceLoss::sigmoid:
    case PreferenceLoss::cpo: return smoothed_logistic(beta * sum.difference(), smoothing);
    case PreferenceLoss::sigmoid_norm: return smoothed_logistic(beta * mean.difference(), smoothing);
    case PreferenceLoss::hinge: return (1 - beta * sum.difference()).clamp_min(0);
    case PreferenceLoss::ipo: return (mean.difference() - 1 / (2 * beta)).square();
    case PreferenceLoss::robust: {
      const at::Tensor z_P = beta * sum.difference();
      return ((1 - smoothing) * at::softplus(-z_P) - smoothing * at::softplus(z_P)) / (1 - 2 * smoothing);
    }
    case PreferenceLoss::simpo: return smoothed_logistic(beta * mean.difference() - options.margin, smoothing);
    case PreferenceLoss::orpo: return beta * at::softplus(log_odds(mean.rejected_P) - log_odds(mean.chosen_P));
  }
  fail(ErrorKind::internal, "a preference loss without a formula");
}

}  // namespace

PreferenceOutcome preference_loss(const PairLogprobs& pairs, const PreferenceOptions& options) {
  HONE_ASSERT(pairs.chosen_P.sizes() == pairs.rejected_P.sizes() && options.beta > 0 && options.label_smoothing < 0.5);
  const Sides sum = log_ratios(pairs, options.loss);
  const Sides mean = {sum.chosen_P / pairs.chosen_tokens_P, sum.rejected_P / pairs.rejected_tokens_P};
  const at::Tensor nll_P = -pairs.chosen_P / pairs.chosen_tokens_P;
  PreferenceOutcome outcome;
  outcome.loss_P = comparison(sum, mean, options);
  if (options.nll_weight != 0) outcome.loss_P = outcome.loss_P + options.nll_weight * nll_P;
  const bool by_mean = options.loss == PreferenceLoss::simpo || options.loss == PreferenceLoss::orpo;
  const Sides& rewards = by_mean ? mean : sum;
  outcome.chosen_reward_P = options.beta * rewards.chosen_P.detach();
  outcome.rejected_reward_P = options.beta * rewards.rejected_P.detach();
  outcome.nll_P = nll_P.detach();
  return outcome;
}

at::Tensor kto_loss(const at::Tensor& logratio_S, const at::Tensor& desirable_S, double z, const KtoOptions& options) {
  HONE_ASSERT(logratio_S.sizes() == desirable_S.sizes() && desirable_S.scalar_type() == at::kBool && z >= 0);
  const at::Tensor gain_S = options.beta * (logratio_S - z);
  return at::where(desirable_S, options.desirable_weight * at::sigmoid(-gain_S),
                   options.undesirable_weight * at::sigmoid(gain_S));
}

double kto_divergence(const at::Tensor& mismatched_logratio_S) {
  return std::max(0.0, mismatched_logratio_S.to(at::kDouble).mean().item<double>());
}

}  // namespace hone
