#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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
  std::string text() const;  ///< "data.reviews", "environment arithmetic"
};

/// What of a row the loss counts.
enum class Learned {
  everything,   ///< prompt and completion are one text
  completions,  ///< the completion alone
};

struct TextEncoding {
  Learned learned = Learned::everything;
  TextPacking packing = TextPacking::documents;
};

/// Encodes the source's training rows and at most `held_out_rows` held-out ones. Error{config} when the environment has
/// no demonstrations; Error{data} as encode_texts and encode_completions.
LearnableRows load_texts(Run& run, const TextSource& source, const TextEncoding& encoding, std::int64_t held_out_rows);

/// Held-out rows alone.
std::vector<TokenExample> load_held_out_texts(Run& run, const TextSource& source, const TextEncoding& encoding,
                                              std::int64_t held_out_rows);

/// eval/loss: mean negative log-likelihood of the counted tokens, in nats; eval/perplexity: its exponential. None
/// without examples.
MetricValues language_model_metrics(Model& model, std::span<const TokenExample> examples, std::int64_t tokens_per_pass);

/// Next-token prediction: -1/N · Σ log p(target), N the counted tokens of the batch.
class LanguageModelObjective : public ExampleObjective {
 public:
  using ExampleObjective::ExampleObjective;

  double denominator(const Batch& batch) const override;
  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override;
  MetricValues evaluate() override { return language_model_metrics(model(), examples().held_out, tokens_per_pass()); }
  std::vector<Headline> headlines() const override { return {{"eval/loss", "loss"}}; }
};

}  // namespace hone
