#include "stages/distill.h"

#include <algorithm>

#include "algo/loss_rows.h"
#include "base/error.h"
#include "base/random.h"
#include "base/stop.h"
#include "nn/layers.h"
#include "rollout/pack.h"
#include "stages/frozen_model.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"
#include "stages/prompt_sampler.h"
#include "stages/stage_prompts.h"

namespace hone {

namespace {

/// The mean divergence over the tokens of completions: 1/N · Σ divergence. Which completions a step learns from, the
/// rows' or the student's own, is drawn with the step.
class DistillObjective : public ExampleObjective {
 public:
  /// `sampler` is null when the student writes nothing; without rows it writes everything.
  DistillObjective(Run& run, LearnableRows rows, std::unique_ptr<Model> teacher, std::unique_ptr<PromptSampler> sampler,
                   const DistillSpec& spec)
      : ExampleObjective(run, std::move(rows), spec.training.tokens_per_pass),
        teacher_(std::move(teacher)),
        sampler_(std::move(sampler)),
        spec_(spec) {}

  std::uint64_t rows() const override { return has_rows() ? examples().train.size() : sampler_->prompts(); }
  std::int64_t tokens(std::uint64_t row) const override {
    return has_rows() ? ExampleObjective::tokens(row) : spec_.sampling.max_tokens;
  }
  Batch batch(std::span<const std::uint64_t> rows, std::uint64_t draw) const override {
    return student_writes(draw) ? sampled(rows, draw) : ExampleObjective::batch(rows, draw);
  }
  double denominator(const Batch& batch) const override {
    return loss_denominator(Aggregation::token_mean, batch.start_S1, batch.mask_T);
  }

  double accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) override {
    metrics_.clear();
    if (spec_.student_share > 0) metrics_.add("student_writes", student_writes(pass.draw) ? 1 : 0);
    if (!student_writes(pass.draw)) return ExampleObjective::accumulate(rows, pass);
    const Batch batch = sampled(rows, pass.draw);
    const double tokens = denominator(batch);
    metrics_.add("completions/mean_length", tokens / static_cast<double>(batch.sequences()));
    double sum = 0;
    std::uint64_t part = 0;
    for (const auto& sequences : cut_by_tokens(batch, pass.tokens_per_pass)) {
      throw_if_stopped();
      const at::Tensor loss = this->loss(pick_sequences(batch, sequences), tokens,
                                         {pass.dropout, Random(pass.draw, part++).next64()});
      sum += loss.item<double>();
      loss.backward();
    }
    return sum;
  }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    return divergence(part, dropout).to(at::kDouble).sum() / denominator;
  }

  MetricValues take_metrics() override { return metrics_.values(); }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const at::NoGradGuard no_grad;
    const Batch batch = batch_of(examples().held_out);
    double sum = 0;
    for (const auto& sequences : cut_by_tokens(batch, tokens_per_pass())) {
      throw_if_stopped();
      sum += divergence(pick_sequences(batch, sequences), {}).sum(at::kDouble).item<double>();
    }
    MetricValues metrics{{"eval/loss", sum / denominator(batch)}};
    for (auto& [name, value] : language_model_metrics(model(), examples().held_out, tokens_per_pass())) {
      if (name == "eval/perplexity") metrics.emplace_back(name, value);
    }
    return metrics;
  }

  std::vector<Headline> headlines() const override { return {{"eval/loss", "divergence"}}; }

 private:
  bool has_rows() const { return !examples().train.empty(); }

  bool student_writes(std::uint64_t draw) const {
    return !has_rows() || (spec_.student_share > 0 && Random(draw, 0, 1).uniform() < spec_.student_share);
  }

  Batch sampled(std::span<const std::uint64_t> rows, std::uint64_t draw) const {
    std::vector<std::uint64_t> prompts(rows.begin(), rows.end());
    if (has_rows()) {
      for (std::uint64_t& prompt : prompts) prompt = static_cast<std::uint64_t>(examples().train[prompt].row);
    }
    return pack_episodes(sampler_->episodes(prompts, 1, draw));
  }

  /// One a counted token; carries the student's gradient.
  at::Tensor divergence(const Batch& part, const DropoutDraw& dropout) const {
    const at::Tensor row_M = at::nonzero(part.mask_T).squeeze(1);
    const auto hidden = [&](Model& model, const DropoutDraw& draw) {
      return take_rows(batch_hidden(model, part, draw.probability, draw.key), row_M);
    };
    const at::Tensor teacher_MD = [&] {
      const at::NoGradGuard no_grad;
      return hidden(*teacher_, {});
    }();
    const LmHead& teacher_head = teacher_->policy->lm_head();
    return model().policy->lm_head().row_losses(
        hidden(model(), dropout),
        [&teacher_head, teacher_MD, options = spec_.options](std::int64_t first, at::Tensor& logits_CV, bool gradient) {
          const at::Tensor teacher_CV = teacher_head.logits(teacher_MD.narrow(0, first, logits_CV.size(0)));
          return divergence_of_rows(logits_CV, teacher_CV, options, gradient);
        });
  }

  std::unique_ptr<Model> teacher_;
  std::unique_ptr<PromptSampler> sampler_;
  const DistillSpec& spec_;
  Metrics metrics_;
};

}  // namespace

void DistillSpec::describe_stage(Fields& f) {
  f.field("teacher", teacher, "An earlier stage, `initial` or a model directory with the same tokenizer.");
  f.required();
  source.describe(f);
  f.choice("divergence", options.divergence, divergence_names,
           "forward_kl: the student covers all that the teacher may say; reverse_kl: it says only what the teacher may "
           "say; jsd: between them.");
  f.field("jsd_weight", options.jsd_weight, "The teacher's share in the mixture of jsd.",
          {.low = 0, .high = 1, .open_low = true, .open_high = true});
  f.field("temperature", options.temperature, "Divides the logits of both before they are compared.", above(0));
  f.field("student_share", student_share,
          "Share of the steps that learn from completions which the student has just written itself, in place of the given "
          "ones; 1 needs no given ones.",
          between(0, 1));
  f.section("sampling", sampling, "How the student writes.");
  f.section("engine", engine, "Generation.");
  describe_training(f, "Held-out evaluation on given completions: eval/loss, eval/perplexity.");
  f.check(student_share == 0 || source.environment != nullptr, "student_share",
          "needs an environment, whose prompts the student answers; `{kind: dataset, data: NAME}` makes one of a data set");
}

StageStart DistillSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::decoder}, "distillation compares what two causal decoders say next");
  LearnableRows rows;
  if (student_share < 1) rows = load_texts(run, source, {.learned = Learned::completions}, evaluation.rows);
  if (student_share > 0) require_prompts(run, *source.environment, Split::train);
  return [this, &run, rows = std::move(rows)]() mutable { return learn_from(run, std::move(rows)); };
}

StageSummary DistillSpec::learn_from(Run& run, LearnableRows rows) const {
  run.use_heads({});
  std::unique_ptr<Model> frozen = load_frozen(run, teacher, "stages." + name + ".teacher");
  const std::int64_t vocabulary = run.model->policy->shape().vocabulary;
  if (frozen->policy->shape().vocabulary != vocabulary) {
    fail(ErrorKind::config, "stages.{}.teacher: its vocabulary has {} entries and the student's {}: expected the same", name,
         frozen->policy->shape().vocabulary, vocabulary);
  }
  std::unique_ptr<PromptSampler> sampler;
  if (student_share > 0) {
    sampler = std::make_unique<PromptSampler>(run, *source.environment, sampling, engine, name);
  }
  DistillObjective objective(run, std::move(rows), std::move(frozen), std::move(sampler), *this);
  return learn(run, objective);
}

}  // namespace hone
