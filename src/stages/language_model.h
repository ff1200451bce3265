#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/examples.h"
#include "flow/environment.h"
#include "stages/example_objective.h"

namespace hone {

/// Where texts to learn from come from: a data set, or the demonstrations of an environment.
struct TextSource {
  std::optional<std::string> data;
  std::unique_ptr<EnvironmentSpec> environment;
  std::optional<std::int64_t> rows;

  void describe(Fields& f);
  std::vector<std::string> data_names() const;
  std::string text() const;  ///< "data.reviews", "environment arithmetic"
};

/// Encodes the source's training rows and at most `held_out_rows` held-out ones. Error{config} when the environment has
/// no demonstrations; Error{data} as encode_texts (where everything is learned) and encode_completions.
LearnableRows load_texts(Run& run, const TextSource& source, const ExampleRules& rules, std::int64_t held_out_rows);

/// Held-out rows alone.
std::vector<TokenExample> load_held_out_texts(Run& run, const TextSource& source, const ExampleRules& rules,
                                              std::int64_t held_out_rows);

/// eval/loss: mean negative log-likelihood of the counted tokens, in nats; eval/perplexity: its exponential. None
/// without examples.
MetricValues language_model_metrics(Model& model, std::span<const TokenExample> examples, std::int64_t tokens_per_pass);

/// What makes the loss differ from that of the targets alone.
struct Regularization {
  double label_smoothing = 0;  ///< ε: its share of each target is spread over the vocabulary (Szegedy et al. 2016)
  double neftune_alpha = 0;    ///< noise on embeddings, uniform in ±α/√(tokens · width) (Jain et al. 2023); 0: none
};

/// NEFTune's noise [T, width]: that of each sequence is keyed by `draw` and its row (group_S), the same however a batch is
/// cut. Undefined for alpha 0.
at::Tensor embedding_noise(const Batch& batch, double alpha, std::int64_t width, std::uint64_t draw);

/// Next-token prediction: -1/N · Σ log p(target), N the counted tokens of the batch. Smoothed, a token's loss is
/// -(1 - ε) log p(target) - ε/V · Σ_v log p(v), as in transformers' LabelSmoother.
class LanguageModelObjective : public ExampleObjective {
 public:
  LanguageModelObjective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass,
                         const Regularization& regularization = {})
      : ExampleObjective(run, std::move(rows), tokens_per_pass), regularization_(regularization) {}

  double denominator(const Batch& batch) const override;
  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override;
  double accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) override;
  MetricValues evaluate() override { return language_model_metrics(model(), examples().held_out, tokens_per_pass()); }
  std::vector<Headline> headlines() const override { return {{"eval/loss", "loss"}}; }

 private:
  Regularization regularization_;
  std::uint64_t draw_ = 0;  ///< of the step whose gradient is being computed
};

}  // namespace hone
