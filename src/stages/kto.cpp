#include "stages/kto.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/log.h"
#include "data/judged_answers.h"
#include "stages/example_objective.h"
#include "stages/frozen_model.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"
#include "stages/sequence_logprobs.h"
#include "stages/to_batch.h"
#include "stages/trainer_state.h"

namespace hone {

namespace {

constexpr std::int64_t good = 1;

/// The prompt of `asked` with the answer of `answered`, cut to the context.
TokenExample mismatched(const TokenExample& asked, const TokenExample& answered, std::int64_t context) {
  TokenExample example{.context_tokens = asked.context_tokens, .row = asked.row, .source_ids = asked.source_ids};
  example.ids.assign(asked.ids.begin(), asked.ids.begin() + asked.context_tokens);
  example.ids.insert(example.ids.end(), answered.ids.begin() + answered.context_tokens, answered.ids.end());
  if (!answered.learned.empty()) {
    example.learned.assign(static_cast<std::size_t>(asked.context_tokens), 0);
    example.learned.insert(example.learned.end(), answered.learned.begin() + answered.context_tokens,
                           answered.learned.end());
  }
  const std::size_t length = std::min(example.ids.size(), static_cast<std::size_t>(context));
  example.ids.resize(length);
  if (!example.learned.empty()) example.learned.resize(length);
  return example;
}

/// Every prompt with the answer to the one before it; in groups of `group` examples, the first with the last answer.
std::vector<TokenExample> mismatched(const std::vector<TokenExample>& examples, std::size_t group,
                                     std::int64_t context) {
  std::vector<TokenExample> others;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const std::size_t begin = i / group * group;
    const std::size_t end = std::min(begin + group, examples.size());
    others.push_back(mismatched(examples[i], examples[i == begin ? end - 1 : i - 1], context));
  }
  return others;
}

/// Answers that are good or bad. What the reference gives to each, and to the mismatched ones that measure the
/// divergence, is computed once, before the first step, and kept in checkpoints.
class KtoObjective : public ExampleObjective {
 public:
  using MakeReference = std::function<std::unique_ptr<Model>()>;

  KtoObjective(Run& run, LearnableRows rows, const KtoSpec& spec, MakeReference make_reference)
      : ExampleObjective(run, std::move(rows), spec.training.tokens_per_pass),
        options_(spec.options),
        make_reference_(std::move(make_reference)) {
    const auto group = static_cast<std::size_t>(spec.training.batch_size);
    const std::int64_t context = input_of(model()).context;
    others_ = mismatched(examples().train, group, context);
    held_out_others_ = mismatched(examples().held_out, group, context);
  }

  double denominator(const Batch& batch) const override { return static_cast<double>(batch.sequences()); }

  double accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) override {
    measure_reference();
    metrics_.clear();
    std::vector<TokenExample> others;
    for (const std::uint64_t row : rows) others.push_back(others_[row]);
    const at::Tensor row_K = stream_tensor(std::vector<std::int64_t>(rows.begin(), rows.end()), at::kLong);
    divergence_ = divergence(others, reference_.others.index_select(0, row_K));
    metrics_.add("kl", divergence_);
    return ExampleObjective::accumulate(rows, pass);
  }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    const at::Tensor logprob_S = sequence_logprobs(model(), part, dropout);
    const at::Tensor reference_S = reference_.answers.index_select(0, part.group_S).to(at::kDouble);
    return compared(logprob_S, reference_S, part.target_S == good, divergence_, "", metrics_).sum() / denominator;
  }

  MetricValues take_metrics() override { return with_margins(metrics_, ""); }

  void exchange(TrainerState& state) override {
    state.optional_tensor("reference_logprobs", reference_.answers);
    state.optional_tensor("reference_logprobs_mismatched", reference_.others);
    state.optional_tensor("held_out_reference_logprobs", held_out_reference_.answers);
    state.optional_tensor("held_out_reference_logprobs_mismatched", held_out_reference_.others);
  }

  MetricValues evaluate() override {
    measure_reference();
    if (examples().held_out.empty()) return {};
    const at::Tensor logprob_S = sequence_logprobs(model(), examples().held_out, tokens_per_pass()).to(at::kDouble);
    const double divergence = this->divergence(held_out_others_, held_out_reference_.others);
    Metrics metrics;
    const at::Tensor good_S = batch_of(examples().held_out).target_S == good;
    const at::Tensor loss_S =
        compared(logprob_S, held_out_reference_.answers.to(at::kDouble), good_S, divergence, "eval/", metrics);
    metrics.add("eval/loss", loss_S.mean().item<double>());
    metrics.add("eval/kl", divergence);
    return with_margins(metrics, "eval/");
  }

  std::vector<Headline> headlines() const override {
    return {{"eval/rewards/margins", "reward margin"}, {"eval/loss", "loss"}};
  }

 private:
  /// Of a reference, to the answers and to the mismatched ones; undefined: not yet measured.
  struct Logprobs {
    at::Tensor answers, others;
  };

  void measure_reference() {
    if (reference_.answers.defined()) return;
    const std::unique_ptr<Model> other = make_reference_ ? make_reference_() : nullptr;
    Model& reference = other ? *other : model();
    const auto of = [&](std::span<const TokenExample> some) {
      return sequence_logprobs(reference, some, tokens_per_pass());
    };
    reference_ = {of(examples().train), of(others_)};
    held_out_reference_ = {of(examples().held_out), of(held_out_others_)};
  }

  double divergence(std::span<const TokenExample> others, const at::Tensor& reference_S) {
    return kto_divergence(sequence_logprobs(model(), others, tokens_per_pass()).to(at::kDouble) -
                          reference_S.to(at::kDouble));
  }

  at::Tensor compared(const at::Tensor& logprob_S, const at::Tensor& reference_S, const at::Tensor& good_S,
                      double divergence, const std::string& prefix, Metrics& metrics) const {
    const at::Tensor logratio_S = logprob_S - reference_S;
    for (const bool chosen : {true, false}) {
      const at::Tensor place_K = (chosen ? good_S : good_S.logical_not()).nonzero().squeeze(1);
      const auto count = static_cast<double>(place_K.size(0));
      const auto mean = [&](const at::Tensor& of_S) {
        return count == 0 ? 0.0 : of_S.detach().index_select(0, place_K).mean().item<double>();
      };
      const std::string side = chosen ? "chosen" : "rejected";
      metrics.add(prefix + "rewards/" + side, options_.beta * mean(logratio_S), count);
      metrics.add(prefix + "logps/" + side, mean(logprob_S), count);
    }
    return kto_loss(logratio_S, good_S, divergence, options_);
  }

  /// rewards/margins where both sides are there.
  static MetricValues with_margins(const Metrics& metrics, const std::string& prefix) {
    MetricValues values = metrics.values();
    const auto chosen = metrics.value(prefix + "rewards/chosen"), rejected = metrics.value(prefix + "rewards/rejected");
    if (chosen && rejected) values.emplace_back(prefix + "rewards/margins", *chosen - *rejected);
    return values;
  }

  const KtoOptions& options_;
  MakeReference make_reference_;
  std::vector<TokenExample> others_, held_out_others_;
  Logprobs reference_, held_out_reference_;
  double divergence_ = 0;  ///< of the step's batch
  Metrics metrics_;
};

LearnableRows load_judged(Run& run, const KtoSpec& spec) {
  const std::shared_ptr<const Dataset> data = run.dataset(spec.data);
  const ModelInput input = input_of(*run.model);
  EncodedRows train = encode_judged(*data, Split::train, *run.tokenizer, input, spec.positive, spec.overlong);
  const auto of_good = std::count_if(train.examples.begin(), train.examples.end(),
                                     [](const TokenExample& example) { return example.label == good; });
  const auto bad = static_cast<std::int64_t>(train.examples.size()) - of_good;
  log_info("data.{}: {} good and {} bad answers; {}", spec.data, of_good, bad, train.report.text());
  if (of_good == 0 || bad == 0) {
    fail(ErrorKind::data,
         "data.{}: every answer is {}: expected answers of both kinds; `positive` ('{}') names the label of the good ones",
         spec.data, bad == 0 ? "good" : "bad", spec.positive);
  }
  LearnableRows rows{std::move(train.examples), {}};
  if (data->has(Split::held_out)) {
    rows.held_out =
        encode_judged(*data, Split::held_out, *run.tokenizer, input, spec.positive, spec.overlong).examples;
    rows.held_out.resize(std::min(rows.held_out.size(), static_cast<std::size_t>(spec.evaluation.rows)));
  } else {
    log_warn("data.{}: no rows are held out, so nothing is evaluated on them", spec.data);
  }
  return rows;
}

}  // namespace

KtoSpec::KtoSpec() { training.optimizer.learning_rate = 1e-6; }

void KtoSpec::describe_stage(Fields& f) {
  describe_data(f, "Name of the data set of single answers with a label (prompt+completion+label or messages+label).");
  f.field("positive", positive, "Label of the good answers.");
  f.field("beta", options.beta, "How dear it is to leave the reference.", above(0));
  f.field("desirable_weight", options.desirable_weight, "Weight of the loss of good answers.", above(0));
  f.field("undesirable_weight", options.undesirable_weight, "Weight of the loss of bad answers.", above(0));
  f.field("reference", reference,
          "What the policy is compared with: an earlier stage, `initial` or a model directory with the same tokenizer; by "
          "default the weights that this stage starts from.");
  f.choice("overlong", overlong, overlong_names, "What happens to a row that is longer than the context.");
  describe_training(f, "Held-out evaluation: eval/loss, eval/rewards/margins and the rest.");
  f.check(training.batch_size > 1, "batch_size", "must be at least 2: the divergence is measured with the others' answers");
}

StageStart KtoSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::decoder, PolicyKind::encoder_decoder}, "answers are what a model can write");
  require_fixed_rows(run);
  return [this, &run, rows = load_judged(run, *this)]() mutable {
    run.use_heads({});
    KtoObjective::MakeReference other;
    if (reference) {
      other = [&] { return load_frozen(run, *reference, "stages." + name + ".reference"); };
    }
    KtoObjective objective(run, std::move(rows), *this, other);
    return learn(run, objective);
  };
}

}  // namespace hone
