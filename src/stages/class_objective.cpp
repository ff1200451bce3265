#include "stages/class_objective.h"

#include <optional>
#include <utility>

#include "algo/label_loss.h"
#include "metrics/classification.h"
#include "metrics/correlation.h"
#include "metrics/regression.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

template <class T>
std::span<const T> values_of(const at::Tensor& contiguous) {
  return {contiguous.const_data_ptr<T>(), static_cast<std::size_t>(contiguous.numel())};
}

void add_mean(const std::string& name, const ClassScores& scores, MetricValues& metrics) {
  metrics.emplace_back("eval/precision" + name, scores.precision);
  metrics.emplace_back("eval/recall" + name, scores.recall);
  metrics.emplace_back("eval/f1" + name, scores.f1);
}

void add_classes(const LabelSet& classes, const ClassificationScores& scores, MetricValues& metrics) {
  for (std::int64_t c = 0; c < classes.size(); ++c) {
    metrics.emplace_back("eval/f1/" + classes.name(c), scores.per_class[static_cast<std::size_t>(c)].f1);
  }
}

class SingleLabel : public ExampleObjective {
 public:
  SingleLabel(Run& run, LearnableRows rows, std::int64_t tokens_per_pass, LabelSet classes, ClassLoss loss)
      : ExampleObjective(run, std::move(rows), tokens_per_pass), classes_(std::move(classes)), loss_(std::move(loss)) {}

  double denominator(const Batch& batch) const override { return class_denominator(batch.target_S, loss_.weight_C); }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    return loss_of(sequence_scores(model(), part, dropout), part, denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor logits_SC = batch_scores(model(), batch, tokens_per_pass());
    const at::Tensor predicted_S = logits_SC.argmax(1);
    const ClassificationScores scores = classification_scores(ConfusionMatrix(
        values_of<std::int64_t>(batch.target_S), values_of<std::int64_t>(predicted_S),
        static_cast<std::size_t>(classes_.size())));
    MetricValues metrics{{"eval/loss", loss_of(logits_SC, batch, denominator(batch)).item<double>()},
                         {"eval/accuracy", scores.accuracy}};
    add_mean("", scores.macro, metrics);
    add_mean("_weighted", scores.weighted, metrics);
    metrics.emplace_back("eval/mcc", scores.mcc);
    add_classes(classes_, scores, metrics);
    return metrics;
  }

  std::vector<Headline> headlines() const override { return {{"eval/accuracy", "accuracy"}}; }

 private:
  at::Tensor loss_of(const at::Tensor& logits_SC, const Batch& batch, double denominator) const {
    return classification_loss(logits_SC, batch.target_S, loss_.weight_C, denominator, loss_.label_smoothing);
  }

  LabelSet classes_;
  ClassLoss loss_;
};

class MultiLabel : public ExampleObjective {
 public:
  MultiLabel(Run& run, LearnableRows rows, std::int64_t tokens_per_pass, LabelSet classes, at::Tensor weight_C)
      : ExampleObjective(run, std::move(rows), tokens_per_pass), classes_(std::move(classes)), weight_C_(weight_C) {}

  double denominator(const Batch& batch) const override { return static_cast<double>(batch.target_SC.numel()); }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    return multi_label_loss(sequence_scores(model(), part, dropout), part.target_SC, weight_C_, denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor logits_SC = batch_scores(model(), batch, tokens_per_pass());
    const at::Tensor predicted = (logits_SC > 0).to(at::kByte), holds = (batch.target_SC > 0).to(at::kByte);
    const ClassificationScores scores = multi_label_scores(
        values_of<std::uint8_t>(holds), values_of<std::uint8_t>(predicted), static_cast<std::size_t>(classes_.size()));
    const at::Tensor loss = multi_label_loss(logits_SC, batch.target_SC, weight_C_, denominator(batch));
    MetricValues metrics{{"eval/loss", loss.item<double>()}, {"eval/accuracy", scores.accuracy}};
    add_mean("", scores.macro, metrics);
    add_mean("_micro", scores.micro, metrics);
    add_mean("_weighted", scores.weighted, metrics);
    add_classes(classes_, scores, metrics);
    return metrics;
  }

  std::vector<Headline> headlines() const override { return {{"eval/f1_micro", "F1 (over all labels)"}}; }

 private:
  LabelSet classes_;
  at::Tensor weight_C_;
};

class Regression : public ExampleObjective {
 public:
  using ExampleObjective::ExampleObjective;

  double denominator(const Batch& batch) const override { return static_cast<double>(batch.target_SC.numel()); }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    return squared_error_loss(sequence_scores(model(), part, dropout), part.target_SC, denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor value = batch_scores(model(), batch, tokens_per_pass()).to(at::kDouble).contiguous();
    const at::Tensor label = batch.target_SC.to(at::kDouble).contiguous();
    const auto values = values_of<double>(value), labels = values_of<double>(label);
    const RegressionErrors errors = regression_errors(values, labels);
    MetricValues metrics{{"eval/loss", errors.mean_squared}, {"eval/mae", errors.mean_absolute}};
    const std::pair<const char*, std::optional<double>> known[] = {
        {"eval/r2", errors.r2}, {"eval/pearson", pearson(values, labels)}, {"eval/spearman", spearman(values, labels)}};
    for (const auto& [name, figure] : known) {
      if (figure) metrics.emplace_back(name, *figure);
    }
    return metrics;
  }

  std::vector<Headline> headlines() const override {
    return {{"eval/spearman", "Spearman"}, {"eval/loss", "squared error"}};
  }
};

}  // namespace

std::unique_ptr<ExampleObjective> class_objective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass,
                                                  const ClassTargets& targets, ClassLoss loss) {
  switch (targets.type) {
    case ProblemType::single_label:
      return std::make_unique<SingleLabel>(run, std::move(rows), tokens_per_pass, targets.classes, std::move(loss));
    case ProblemType::multi_label:
      return std::make_unique<MultiLabel>(run, std::move(rows), tokens_per_pass, targets.classes, loss.weight_C);
    case ProblemType::regression: break;
  }
  return std::make_unique<Regression>(run, std::move(rows), tokens_per_pass);
}

}  // namespace hone
