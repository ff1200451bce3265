#include "optim/optimizer_config.h"

#include <algorithm>
#include <cmath>

namespace hone {

namespace {

constexpr Range kMeanDecay = {.low = 0, .high = 1, .open_high = true};

}  // namespace

void AdafactorConfig::describe(Fields& f) {
  f.field("relative_step", relative_step,
          "Steps of min(0.01, 1/√t) in place of learning_rate and its schedule, as the paper has them.");
  f.field("warmup_init", warmup_init, "With relative_step: begin at 0.000001·t.");
  f.check(!warmup_init || relative_step, "warmup_init", "needs relative_step");
  f.field("scale_parameter", scale_parameter, "Multiply the rate of a tensor by the root mean square of its values.");
  f.field("decay_exponent", decay_exponent, "The decay of squared gradients in update t is 1 - t^-exponent.",
          between(0, 1));
  f.field("clip_threshold", clip_threshold, "Updates of a tensor are scaled down to this root mean square.", above(0));
  f.field("beta1", beta1, "Decay of the mean of updates; 0: none is kept.", kMeanDecay);
}

double AdafactorConfig::relative_rate(std::int64_t step) const {
  const auto t = static_cast<double>(step);
  return std::min(warmup_init ? 1e-6 * t : 1e-2, 1.0 / std::sqrt(t));
}

void LionConfig::describe(Fields& f) {
  f.field("beta1", beta1, "Share of the momentum in the update.", kMeanDecay);
  f.field("beta2", beta2, "Decay of the momentum.", kMeanDecay);
}

void MuonConfig::describe(Fields& f) {
  f.field("learning_rate", learning_rate,
          "Peak rate of the matrices that it orthogonalises; by default optimizer.learning_rate, which is AdamW's for the "
          "rest.",
          at_least(0));
  f.field("momentum", momentum, "Decay of the mean of gradients.", kMeanDecay);
  f.field("nesterov", nesterov, "Look ahead along the momentum.");
  f.field("iterations", iterations, "Newton-Schulz steps.", between(1, 99));
  f.choice("scale", scale, muon_scale_names,
           "Of an m × n update: 0.2·√max(m, n), with which rates of AdamW fit, or √max(1, m/n), with which rates are near "
           "0.02.");
}

void SgdConfig::describe(Fields& f) {
  f.field("momentum", momentum, "Decay of the sum of gradients.", kMeanDecay);
  f.field("nesterov", nesterov, "Look ahead along the momentum.");
  f.check(!nesterov || momentum > 0, "nesterov", "needs momentum");
}

void OptimizerConfig::describe(Fields& f) {
  f.choice("rule", rule, rule_names, "How weights follow from gradients: docs/optimization.md.");
  f.field("learning_rate", learning_rate, "Peak learning rate.", at_least(0));
  f.field("beta1", beta1, "AdamW: decay of the mean of gradients.", kMeanDecay);
  f.field("beta2", beta2, "AdamW: decay of the mean of squared gradients.", kMeanDecay);
  f.field("eps", eps, "AdamW: added to the root of the second moment.", above(0));
  f.field("weight_decay", weight_decay,
          "Decoupled (SGD: part of the gradient); applies to matrices, not to norms and biases.", at_least(0));
  f.field("max_grad_norm", max_grad_norm, "Gradients are scaled down to this global norm; 0: never.", at_least(0));
  schedule.describe(f);
  f.field("no_decay", no_decay,
          "Tensors without weight decay beside norms and biases, by the end of their Hugging Face names "
          "(embed_tokens.weight) or with * for anything.");
  f.field("rates", rates, "Factors of the learning rate by the same names, as in {\"classifier.*\": 10}; all that match "
                          "multiply.");
  f.check(std::all_of(rates.begin(), rates.end(), [](const auto& rate) { return rate.second >= 0; }), "rates",
          "factors must be at least 0");
  f.field("layer_decay", layer_decay,
          "Layer-wise rates: each layer below the top learns at this factor of the one above it, embeddings below the "
          "first layer; heads and final norms at the full rate.",
          Range{.low = 0, .high = 1, .open_low = true});
  f.section("adafactor", adafactor, "Read by rule: adafactor.");
  f.section("lion", lion, "Read by rule: lion.");
  f.section("muon", muon, "Read by rule: muon.");
  f.section("sgd", sgd, "Read by rule: sgd.");
}

}  // namespace hone
