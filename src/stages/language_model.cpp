#include "stages/language_model.h"

#include <algorithm>
#include <cmath>

#include "algo/loss_rows.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "nn/layers.h"
#include "nn/moe.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"
#include "stages/stage_prompts.h"

namespace hone {

namespace {

constexpr std::uint64_t default_rows = 20000;

EncodedRows encode_data(Run& run, const std::string& name, const ExampleRules& rules, Split split) {
  const std::shared_ptr<const Dataset> data = run.dataset(name);
  if (data->alters()) refuse_redrawn_rows(name);
  const ModelInput input = input_of(*run.model);
  if (rules.learned != Learned::everything) return encode_completions(*data, split, *run.tokenizer, input, rules);
  return encode_texts(*data, split, *run.tokenizer, input.context, rules);
}

void add_demonstration(ExampleEncoder& encoder, const Prompt& prompt, const std::string& answer, Learned learned) {
  const std::string where = fmt::format("prompt {}", prompt.id);
  if (!prompt.messages.empty()) {
    encoder.add_conversation(answered({to_json(prompt.messages), prompt.tools}, answer), where);
  } else if (learned == Learned::everything) {
    encoder.add_text(prompt.text + answer, where);
  } else {
    encoder.add_completion(prompt.text, answer, where);
  }
}

/// The first `count` prompts of the split with their demonstrations.
EncodedRows encode_demonstrations(Run& run, const TextSource& source, const ExampleRules& rules, Split split,
                                  std::uint64_t count) {
  const std::unique_ptr<Environment> environment = source.environment->make(run.services());
  ExampleEncoder encoder(*run.tokenizer, input_of(*run.model), rules);
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
    add_demonstration(encoder, prompt, *demonstration, rules.learned);
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

/// -(1 - ε) log p(target) - ε/V · Σ_v log p(v). Its derivative by logit v is p(v) - (1 - ε) [v = target] - ε/V.
LogitsLoss smoothed_loss(const at::Tensor& target_M, double epsilon) {
  return [=](std::int64_t first, at::Tensor& logits_CV, bool gradient) {
    const at::Tensor target_C1 = target_M.narrow(0, first, logits_CV.size(0)).unsqueeze(1);
    const at::Tensor logprob_CV = logits_CV.log_softmax(1);
    const at::Tensor loss_C =
        -(1 - epsilon) * logprob_CV.gather(1, target_C1).squeeze(1) - epsilon * logprob_CV.mean(1);
    if (gradient) {
      logits_CV.copy_(logprob_CV.exp() - epsilon / static_cast<double>(logits_CV.size(1)));
      logits_CV.scatter_add_(1, target_C1, at::full(target_C1.sizes(), epsilon - 1, logits_CV.options()));
    }
    return loss_C;
  };
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

std::vector<std::string> TextSource::data_names() const {
  std::vector<std::string> names;
  if (data) names.push_back(*data);
  add_data_names(environment.get(), names);
  return names;
}

std::string TextSource::text() const { return data ? "data." + *data : "environment " + environment->kind; }

LearnableRows load_texts(Run& run, const TextSource& source, const ExampleRules& rules, std::int64_t held_out_rows) {
  const std::uint64_t wanted = source.rows ? static_cast<std::uint64_t>(*source.rows) : default_rows;
  EncodedRows train = source.data ? encode_data(run, *source.data, rules, Split::train)
                                  : encode_demonstrations(run, source, rules, Split::train, wanted);
  log_info("{}: {}", source.text(), train.report.text());
  return {std::move(train.examples), load_held_out_texts(run, source, rules, held_out_rows)};
}

std::vector<TokenExample> load_held_out_texts(Run& run, const TextSource& source, const ExampleRules& rules,
                                              std::int64_t held_out_rows) {
  const auto most = static_cast<std::size_t>(held_out_rows);
  std::vector<TokenExample> examples;
  if (!source.data) {
    if (source.environment->make(run.services())->size(Split::held_out) > 0) {
      examples = encode_demonstrations(run, source, rules, Split::held_out, most).examples;
    }
  } else if (run.dataset(*source.data)->has(Split::held_out)) {
    examples = encode_data(run, *source.data, rules, Split::held_out).examples;
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

at::Tensor embedding_noise(const Batch& batch, double alpha, std::int64_t width, std::uint64_t draw) {
  if (alpha == 0) return {};
  at::Tensor noise_TD = at::empty({batch.tokens(), width}, at::kFloat);
  const std::int32_t* start = batch.start_S1.const_data_ptr<std::int32_t>();
  for (std::int64_t s = 0; s < batch.sequences(); ++s) {
    const std::int64_t count = (start[s + 1] - start[s]) * width;
    const double magnitude = alpha / std::sqrt(static_cast<double>(count));
    Random random(draw, static_cast<std::uint64_t>(batch.group_S[s].item<std::int64_t>()));
    float* value = noise_TD.data_ptr<float>() + start[s] * width;
    for (std::int64_t i = 0; i < count; ++i) value[i] = static_cast<float>((2 * random.uniform() - 1) * magnitude);
  }
  return noise_TD;
}

double LanguageModelObjective::accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) {
  draw_ = stream_key(pass.draw, "neftune");
  return ExampleObjective::accumulate(rows, pass);
}

at::Tensor LanguageModelObjective::loss(const Batch& part, double denominator, const DropoutDraw& dropout) {
  const LossRows rows = loss_rows(Aggregation::token_mean, part, denominator);
  std::vector<at::Tensor> router_logits;
  const at::Tensor noise_TD =
      embedding_noise(part, regularization_.neftune_alpha, model().policy->shape().hidden, draw_);
  const at::Tensor hidden_TD =
      batch_hidden(model(), part, dropout.probability, dropout.key, &router_logits, noise_TD);
  const at::Tensor hidden_MD = take_rows(hidden_TD, rows.index_M);
  const LmHead& head = model().policy->lm_head();
  at::Tensor loss;
  if (regularization_.label_smoothing > 0) {
    loss = rows.weighted_sum(
        head.row_losses(hidden_MD, smoothed_loss(rows.select(part.target_T), regularization_.label_smoothing)));
  } else {
    loss = -rows.weighted_sum(head.token_statistics(hidden_MD, rows.select(part.target_T), 1.0, false).logprob_M);
  }
  const PolicyShape& shape = model().policy->shape();
  if (router_logits.empty() || shape.balance == 0) return loss;
  const double share = static_cast<double>(rows.size()) / denominator;  // of the batch that this part is
  return loss + shape.balance * share * load_balancing_loss(router_logits, shape.experts_a_token);
}

}  // namespace hone
