#include "stages/token_classify.h"

#include <utility>

#include "algo/label_loss.h"
#include "base/log.h"
#include "metrics/entities.h"
#include "nn/layers.h"
#include "stages/classify.h"
#include "stages/example_objective.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

/// Rows whose token has a tag.
at::Tensor tagged_rows(const Batch& batch) { return batch.mask_T.nonzero().squeeze(1); }

class TagObjective : public ExampleObjective {
 public:
  TagObjective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass, LabelSet tags, double label_smoothing)
      : ExampleObjective(run, std::move(rows), tokens_per_pass),
        tags_(std::move(tags)),
        label_smoothing_(label_smoothing) {}

  double denominator(const Batch& batch) const override { return batch.mask_T.sum(at::kDouble).item<double>(); }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    const at::Tensor row_M = tagged_rows(part);
    const at::Tensor hidden_TD = batch_hidden(model(), part, dropout.probability, dropout.key);
    return loss_of((*model().score)(take_rows(hidden_TD, row_M)), part.target_T.index_select(0, row_M), denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor row_M = tagged_rows(batch);
    const at::Tensor logits_MC = batch_scores(model(), batch, tokens_per_pass()).index_select(0, row_M);
    const at::Tensor target_M = batch.target_T.index_select(0, row_M), predicted_M = logits_MC.argmax(1);
    MetricValues metrics{
        {"eval/loss", loss_of(logits_MC, target_M, static_cast<double>(row_M.size(0))).item<double>()}};
    if (are_entity_tags(tags_.names())) {
      metrics.emplace_back("eval/accuracy", (target_M == predicted_M).to(at::kDouble).mean().item<double>());
      add_entities(row_M, batch.start_S1, target_M, predicted_M, metrics);
    } else {
      add_classes(target_M, predicted_M, metrics);
    }
    return metrics;
  }

  std::vector<Headline> headlines() const override { return {{"eval/f1", "F1"}, {"eval/accuracy", "accuracy"}}; }

 private:
  at::Tensor loss_of(const at::Tensor& logits_MC, const at::Tensor& target_M, double denominator) const {
    return classification_loss(logits_MC, target_M, {}, denominator, label_smoothing_);
  }

  void add_entities(const at::Tensor& row_M, const at::Tensor& start_S1, const at::Tensor& target_M,
                    const at::Tensor& predicted_M, MetricValues& metrics) const {
    const EntityScores scores =
        entity_scores(sentences(row_M, start_S1, target_M), sentences(row_M, start_S1, predicted_M));
    metrics.emplace_back("eval/precision", scores.all.precision);
    metrics.emplace_back("eval/recall", scores.all.recall);
    metrics.emplace_back("eval/f1", scores.all.f1);
    for (const auto& [type, of_type] : scores.by_type) metrics.emplace_back("eval/f1/" + type, of_type.f1);
  }

  void add_classes(const at::Tensor& target_M, const at::Tensor& predicted_M, MetricValues& metrics) const {
    const auto count = static_cast<std::size_t>(target_M.numel());
    const ClassificationScores scores = classification_scores(
        ConfusionMatrix({target_M.const_data_ptr<std::int64_t>(), count},
                        {predicted_M.const_data_ptr<std::int64_t>(), count}, static_cast<std::size_t>(tags_.size())));
    metrics.emplace_back("eval/accuracy", scores.accuracy);
    metrics.emplace_back("eval/precision", scores.macro.precision);
    metrics.emplace_back("eval/recall", scores.macro.recall);
    metrics.emplace_back("eval/f1", scores.macro.f1);
  }

  /// The tags of the words of each sequence.
  std::vector<std::vector<std::string>> sentences(const at::Tensor& row_M, const at::Tensor& start_S1,
                                                  const at::Tensor& tag_M) const {
    const std::int32_t* start = start_S1.const_data_ptr<std::int32_t>();
    const std::int64_t* row = row_M.const_data_ptr<std::int64_t>();
    const std::int64_t* tag = tag_M.const_data_ptr<std::int64_t>();
    std::vector<std::vector<std::string>> sentences(static_cast<std::size_t>(start_S1.size(0)) - 1);
    std::size_t s = 0;
    for (std::int64_t m = 0; m < row_M.size(0); ++m) {
      while (start[s + 1] <= row[m]) ++s;
      sentences[s].push_back(tags_.name(tag[m]));
    }
    return sentences;
  }

  LabelSet tags_;
  double label_smoothing_;
};

}  // namespace

void TokenClassifySpec::describe_stage(Fields& f) {
  describe_data(f, "Name of the data set: lists of tokens (words) and of as many tags.");
  f.field("label_smoothing", label_smoothing, "Share of a tag that is spread over all tags.",
          {.low = 0, .high = 1, .open_high = true});
  length.describe(f);
  describe_training(f,
                    "Held-out evaluation: eval/loss, eval/accuracy of words, eval/precision, recall and f1 of entities.");
}

StageStart TokenClassifySpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::encoder, PolicyKind::decoder}, "words are read in place, not generated");
  require_fixed_rows(run);
  const std::shared_ptr<const Dataset> dataset = run.dataset(data);
  const LabelSet tags = classes_of(run, *dataset, HeadKind::tokens);
  LearnableRows rows = load_splits(*dataset, evaluation.rows, [&](Split split) {
    TextEncoder encoder(*run.tokenizer, input_of(*run.model), length);
    std::vector<TokenExample> examples = encode_tagged(*dataset, split, *run.tokenizer, encoder, tags);
    log_info("data.{}: {}{}", data, split == Split::held_out ? "held out: " : "", encoder.report().text());
    return examples;
  });
  return [this, &run, tags, rows = std::move(rows)]() mutable {
    run.use_heads({.lm = false, .scores = tags.size(), .score_kind = HeadKind::tokens, .labels = tags.names()});
    TagObjective objective(run, std::move(rows), training.tokens_per_pass, tags, label_smoothing);
    StageSummary summary = learn(run, objective);
    save_labels(run, name, tags);
    return summary;
  };
}

}  // namespace hone
