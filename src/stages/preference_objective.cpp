#include "stages/preference_objective.h"

#include "stages/sequence_logprobs.h"
#include "stages/trainer_state.h"

namespace hone {

namespace {

double average(const at::Tensor& value_P) { return value_P.to(at::kDouble).mean().item<double>(); }

}  // namespace

void add_preference_metrics(const PairLogprobs& pairs, const PreferenceOutcome& outcome,
                            const PreferenceOptions& options, const std::string& prefix, Metrics& metrics) {
  const at::NoGradGuard no_grad;
  const at::Tensor margin_P = outcome.chosen_reward_P - outcome.rejected_reward_P;
  const auto weight = static_cast<double>(margin_P.size(0));
  metrics.add(prefix + "rewards/chosen", average(outcome.chosen_reward_P), weight);
  metrics.add(prefix + "rewards/rejected", average(outcome.rejected_reward_P), weight);
  metrics.add(prefix + "rewards/accuracies", average(margin_P > 0), weight);
  metrics.add(prefix + "rewards/margins", average(margin_P), weight);
  metrics.add(prefix + "logps/chosen", average(pairs.chosen_P), weight);
  metrics.add(prefix + "logps/rejected", average(pairs.rejected_P), weight);
  if (options.nll_weight != 0) metrics.add(prefix + "nll_loss", average(outcome.nll_P), weight);
}

void PreferenceObjective::measure_reference() {
  if (!has_reference(options_.loss) || reference_.defined()) return;
  const std::unique_ptr<Model> other = make_reference_ ? make_reference_() : nullptr;
  Model& reference = other ? *other : model();
  reference_ = sequence_logprobs(reference, examples().train, tokens_per_pass());
  held_out_reference_ = sequence_logprobs(reference, examples().held_out, tokens_per_pass());
}

PairLogprobs PreferenceObjective::compared(const Batch& batch, const at::Tensor& logprob_S,
                                           const at::Tensor& reference_S) const {
  const at::Tensor tokens_S = counted_tokens(batch);
  PairLogprobs pairs{.chosen_P = side(logprob_S, 0),
                     .rejected_P = side(logprob_S, 1),
                     .chosen_tokens_P = side(tokens_S, 0),
                     .rejected_tokens_P = side(tokens_S, 1)};
  if (!has_reference(options_.loss)) return pairs;
  const at::Tensor pair_P = side(batch.group_S, 0);
  const at::Tensor known_S = reference_S.to(at::kDouble);
  pairs.ref_chosen_P = side(known_S, 0).index_select(0, pair_P);
  pairs.ref_rejected_P = side(known_S, 1).index_select(0, pair_P);
  return pairs;
}

double PreferenceObjective::accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) {
  measure_reference();
  metrics_.clear();
  return PairObjective::accumulate(rows, pass);
}

at::Tensor PreferenceObjective::loss(const Batch& part, double denominator, const DropoutDraw& dropout) {
  const PairLogprobs pairs = compared(part, sequence_logprobs(model(), part, dropout), reference_);
  const PreferenceOutcome outcome = preference_loss(pairs, options_);
  add_preference_metrics(pairs, outcome, options_, "", metrics_);
  return outcome.loss_P.sum() / denominator;
}

MetricValues PreferenceObjective::take_metrics() { return metrics_.values(); }

void PreferenceObjective::exchange(TrainerState& state) {
  state.optional_tensor("reference_logprobs", reference_);
  state.optional_tensor("held_out_reference_logprobs", held_out_reference_);
}

MetricValues PreferenceObjective::evaluate() {
  measure_reference();
  if (examples().held_out.empty()) return {};
  const Batch batch = batch_of(examples().held_out);
  const at::Tensor logprob_S = sequence_logprobs(model(), examples().held_out, tokens_per_pass()).to(at::kDouble);
  const PairLogprobs pairs = compared(batch, logprob_S, held_out_reference_);
  const PreferenceOutcome outcome = preference_loss(pairs, options_);
  Metrics metrics;
  metrics.add("eval/loss", average(outcome.loss_P));
  add_preference_metrics(pairs, outcome, options_, "eval/", metrics);
  return metrics.values();
}

}  // namespace hone
