#include "stages/dpo.h"

#include <algorithm>

#include "base/log.h"
#include "data/examples.h"
#include "stages/frozen_model.h"
#include "stages/model_kind.h"
#include "stages/preference_objective.h"

namespace hone {

namespace {

EncodedRows encode(Run& run, const PreferenceSpec& spec, Split split) {
  EncodedRows rows =
      encode_pairs(*run.dataset(spec.data), split, *run.tokenizer, input_of(*run.model), {.overlong = spec.overlong});
  for (std::size_t i = 0; i < rows.examples.size(); ++i) rows.examples[i].row = static_cast<std::int64_t>(i / 2);
  return rows;
}

LearnableRows load_pairs(Run& run, const PreferenceSpec& spec) {
  EncodedRows train = encode(run, spec, Split::train);
  log_info("data.{}: pairs: {}", spec.data, train.report.text());
  LearnableRows rows{std::move(train.examples), {}};
  if (run.dataset(spec.data)->has(Split::held_out)) {
    rows.held_out = encode(run, spec, Split::held_out).examples;
    rows.held_out.resize(std::min(rows.held_out.size(), 2 * static_cast<std::size_t>(spec.evaluation.rows)));
  } else {
    log_warn("data.{}: no rows are held out, so nothing is evaluated on them", spec.data);
  }
  return rows;
}

void describe_beta(Fields& f, double& beta, const std::string& meaning) { f.field("beta", beta, meaning, above(0)); }

void describe_smoothing(Fields& f, double& smoothing) {
  f.field("label_smoothing", smoothing, "Share of pairs that are believed to be the wrong way round.",
          {.low = 0, .high = 0.5, .open_high = true});
}

void describe_nll(Fields& f, double& weight) {
  f.field("nll_weight", weight, "Weight of the chosen answer's negative log-likelihood, the mean over its tokens.",
          at_least(0));
}

}  // namespace

PreferenceSpec::PreferenceSpec() { training.optimizer.learning_rate = 1e-6; }

void PreferenceSpec::describe_stage(Fields& f) {
  describe_data(f, "Name of the data set of pairs (prompt+chosen+rejected or messages+chosen+rejected).");
  describe_loss(f);
  f.choice("overlong", overlong, overlong_names, "What happens to a pair with an answer that is longer than the context.");
  describe_training(f, "Held-out evaluation: eval/loss, eval/rewards/accuracies and the rest.");
}

StageStart PreferenceSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::decoder, PolicyKind::encoder_decoder}, "pairs are answers that a model can write");
  require_fixed_rows(run);
  return [this, &run, rows = load_pairs(run, *this)]() mutable {
    run.use_heads({});
    PreferenceObjective::MakeReference other;
    if (reference) {
      other = [&] { return load_frozen(run, *reference, "stages." + name + ".reference"); };
    }
    PreferenceObjective objective(run, std::move(rows), training.tokens_per_pass, options, other);
    return learn(run, objective);
  };
}

void DpoSpec::describe_loss(Fields& f) {
  f.choice("loss", options.loss, reference_loss_names,
           "How the margin of a pair becomes a loss: sigmoid (DPO; cDPO with label_smoothing), sigmoid_norm (by the mean "
           "over tokens), hinge, ipo or robust.");
  describe_beta(f, options.beta, "How dear it is to leave the reference; for ipo its regularization τ.");
  describe_smoothing(f, options.label_smoothing);
  describe_nll(f, options.nll_weight);
  f.field("reference", reference,
          "What the policy is compared with: an earlier stage, `initial` or a model directory with the same tokenizer; by "
          "default the weights that this stage starts from.");
  const bool smooths = options.loss != PreferenceLoss::hinge && options.loss != PreferenceLoss::ipo;
  f.check(options.label_smoothing == 0 || smooths, "label_smoothing", "hinge and ipo have none");
}

OrpoSpec::OrpoSpec() { options = {.loss = PreferenceLoss::orpo, .nll_weight = 1}; }

void OrpoSpec::describe_loss(Fields& f) {
  describe_beta(f, options.beta, "Weight of the odds ratio; the paper's λ.");
  describe_nll(f, options.nll_weight);
}

SimpoSpec::SimpoSpec() { options = {.loss = PreferenceLoss::simpo, .beta = 2, .margin = 1}; }

void SimpoSpec::describe_loss(Fields& f) {
  describe_beta(f, options.beta, "Scale of the mean log-probabilities.");
  f.field("margin", options.margin, "What the chosen answer should win by; the paper's γ.", at_least(0));
  describe_smoothing(f, options.label_smoothing);
  describe_nll(f, options.nll_weight);
}

CpoSpec::CpoSpec() { options = {.loss = PreferenceLoss::cpo, .nll_weight = 1}; }

void CpoSpec::describe_loss(Fields& f) {
  describe_beta(f, options.beta, "Scale of the log-probabilities' difference.");
  describe_smoothing(f, options.label_smoothing);
  describe_nll(f, options.nll_weight);
}

}  // namespace hone
