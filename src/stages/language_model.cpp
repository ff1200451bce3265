#include "stages/language_model.h"

#include <algorithm>
#include <cmath>

#include "algo/loss_rows.h"
#include "base/error.h"
#include "base/log.h"
#include "nn/layers.h"
#include "nn/moe.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

constexpr std::uint64_t default_rows = 20000;

EncodedRows encode_data(Run& run, const std::string& name, const TextEncoding& encoding, Split split) {
  const std::shared_ptr<const Dataset> data = run.dataset(name);
  const ModelInput input = input_of(*run.model);
  if (encoding.learned == Learned::completions) return encode_completions(*data, split, *run.tokenizer, input);
  return encode_texts(*data, split, *run.tokenizer, input.context, encoding.packing);
}

/// The first `count` prompts of the split with their demonstrations.
EncodedRows encode_demonstrations(Run& run, const TextSource& source, const TextEncoding& encoding, Split split,
                                  std::uint64_t count) {
  const std::unique_ptr<Environment> environment = source.environment->make(run.services());
  ExampleEncoder encoder(*run.tokenizer, input_of(*run.model), encoding.packing);
  count = std::min(count, environment->size(split));
  for (std::uint64_t index = 0; index < count; ++index) {
    const Prompt prompt = environment->prompt(split, index);
    const std::optional<std::string> demonstration = environment->demonstration(prompt);
    if (!demonstration) {
      fail(
          ErrorKind::config,
          "environment: {} knows no demonstration for prompt {}, so nothing can be learned from it by supervision; use "
          "`data:` or an environment that shows answers",
          source.environment->kind, prompt.id);
    }
    if (!prompt.messages.empty()) {
      fail(ErrorKind::data, "environment: prompt {} consists of messages, and the tokenizer has no chat template",
           prompt.id);
    }
    if (encoding.learned == Learned::completions) {
      encoder.add_completion(prompt.text, *demonstration, fmt::format("prompt {}", prompt.id));
    } else {
      encoder.add_text(prompt.text + *demonstration);
    }
  }
  EncodedRows encoded{.examples = encoder.take(), .report = {}};
  encoded.report = encoder.report();
  if (encoded.examples.empty()) {
    fail(ErrorKind::data,
         "environment: all labels are masked: each of the {} demonstrations is empty, nothing to learn",
         encoded.report.rows);
  }
  return encoded;
}

}  // namespace

void TextSource::describe(Fields& f) {
  f.field("data", data, "Name of the data set to learn from.");
  f.component("environment", environment, "Learn from the demonstrations of this environment instead.");
  f.field("rows", rows, "Demonstrations to learn from; by default all of the environment's, at most 20,000.",
          at_least(1));
  f.check(data.has_value() != (environment != nullptr), "data", "one of data and environment must be set");
  f.check(!rows || environment != nullptr, "rows", "goes with environment; a data set has its own `limit`");
}

std::string TextSource::text() const { return data ? "data." + *data : "environment " + environment->kind; }

LearnableRows load_texts(Run& run, const TextSource& source, const TextEncoding& encoding, std::int64_t held_out_rows) {
  const std::uint64_t wanted = source.rows ? static_cast<std::uint64_t>(*source.rows) : default_rows;
  EncodedRows train = source.data ? encode_data(run, *source.data, encoding, Split::train)
                                  : encode_demonstrations(run, source, encoding, Split::train, wanted);
  log_info("{}: {}", source.text(), train.report.text());
  return {std::move(train.examples), load_held_out_texts(run, source, encoding, held_out_rows)};
}

std::vector<TokenExample> load_held_out_texts(Run& run, const TextSource& source, const TextEncoding& encoding,
                                              std::int64_t held_out_rows) {
  const auto most = static_cast<std::size_t>(held_out_rows);
  std::vector<TokenExample> examples;
  if (!source.data) {
    if (source.environment->make(run.services())->size(Split::held_out) > 0) {
      examples = encode_demonstrations(run, source, encoding, Split::held_out, most).examples;
    }
  } else if (run.dataset(*source.data)->has(Split::held_out)) {
    examples = encode_data(run, *source.data, encoding, Split::held_out).examples;
  }
  if (examples.size() > most) examples.resize(most);
  if (examples.empty()) log_warn("{}: no rows are held out, so nothing is evaluated on them", source.text());
  return examples;
}

MetricValues language_model_metrics(Model& model, std::span<const TokenExample> examples,
                                    std::int64_t tokens_per_pass) {
  if (examples.empty()) return {};
  const Batch batch = batch_of(examples);
  const double logprob = batch_logprobs(model, batch, 1.0, tokens_per_pass).sum(at::kDouble).item<double>();
  const double loss = -logprob / batch.mask_T.sum(at::kDouble).item<double>();
  return {{"eval/loss", loss}, {"eval/perplexity", std::exp(loss)}};
}

double LanguageModelObjective::denominator(const Batch& batch) const {
  return loss_denominator(Aggregation::token_mean, batch.start_S1, batch.mask_T);
}

at::Tensor LanguageModelObjective::loss(const Batch& part, double denominator, const DropoutDraw& dropout) {
  const LossRows rows = loss_rows(Aggregation::token_mean, part, denominator);
  std::vector<at::Tensor> router_logits;
  const at::Tensor hidden_TD = batch_hidden(model(), part, dropout.probability, dropout.key, &router_logits);
  const kernels::TokenStatistics tokens = model().policy->lm_head().token_statistics(
      take_rows(hidden_TD, rows.index_M), rows.select(part.target_T), 1.0, false);
  const at::Tensor loss = -rows.weighted_sum(tokens.logprob_M);
  const PolicyShape& shape = model().policy->shape();
  if (router_logits.empty() || shape.balance == 0) return loss;
  const double share = static_cast<double>(rows.size()) / denominator;  // of the batch that this part is
  return loss + shape.balance * share * load_balancing_loss(router_logits, shape.experts_a_token);
}

}  // namespace hone
