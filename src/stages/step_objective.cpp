#include "stages/step_objective.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "algo/label_loss.h"
#include "algo/loss_rows.h"
#include "base/error.h"
#include "base/log.h"
#include "data/class_examples.h"
#include "data/step_examples.h"
#include "metrics/classification.h"
#include "nn/layers.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

at::Tensor step_rows(const Batch& batch) { return batch.mask_T.nonzero().squeeze(1); }

std::span<const std::int64_t> values_of(const at::Tensor& contiguous) {
  return {contiguous.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(contiguous.numel())};
}

class StepObjective : public ExampleObjective {
 public:
  StepObjective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass, std::int64_t classes)
      : ExampleObjective(run, std::move(rows), tokens_per_pass), classes_(classes) {}

  double denominator(const Batch& batch) const override { return batch.mask_T.sum(at::kDouble).item<double>(); }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    const at::Tensor row_M = step_rows(part);
    const at::Tensor hidden_TD = batch_hidden(model(), part, dropout.probability, dropout.key);
    return classification_loss((*model().score)(take_rows(hidden_TD, row_M)), part.target_T.index_select(0, row_M), {},
                               denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor row_M = step_rows(batch);
    const at::Tensor logits_MC = batch_scores(model(), batch, tokens_per_pass()).index_select(0, row_M);
    const at::Tensor target_M = batch.target_T.index_select(0, row_M), predicted_M = logits_MC.argmax(1);
    const ClassificationScores scores = classification_scores(
        ConfusionMatrix(values_of(target_M), values_of(predicted_M), static_cast<std::size_t>(classes_)));
    return {{"eval/loss", classification_loss(logits_MC, target_M, {}, denominator(batch)).item<double>()},
            {"eval/accuracy", scores.accuracy},
            {"eval/f1", scores.macro.f1},
            {"eval/first_error", first_errors_found(batch, row_M, target_M, predicted_M)}};
  }

  std::vector<Headline> headlines() const override {
    return {{"eval/accuracy", "accuracy (steps)"}, {"eval/first_error", "first wrong step found"}};
  }

 private:
  /// Share of the solutions whose first step that is not right is the one that the model calls so, or that have none for
  /// either.
  double first_errors_found(const Batch& batch, const at::Tensor& row_M, const at::Tensor& target_M,
                            const at::Tensor& predicted_M) const {
    const at::Tensor sequence_M = sequence_of_rows(batch.start_S1).index_select(0, row_M);
    const auto sequences = values_of(sequence_M), targets = values_of(target_M), predicted = values_of(predicted_M);
    double solutions = 0, found = 0;
    for (std::size_t m = 0; m < sequences.size();) {
      bool open = true, agrees = true;
      const std::int64_t sequence = sequences[m];
      for (; m < sequences.size() && sequences[m] == sequence; ++m) {
        const bool wrong = targets[m] != classes_ - 1, called_wrong = predicted[m] != classes_ - 1;
        if (open) agrees = wrong == called_wrong;
        open = open && !wrong && !called_wrong;
      }
      ++solutions;
      found += agrees ? 1 : 0;
    }
    return found / solutions;
  }

  std::int64_t classes_;
};

}  // namespace

LabelSet step_labels(const Dataset& data, const std::optional<std::string>& positive) {
  const LabelSet labels = classes_of(data);
  if (labels.size() < 2) {
    fail(ErrorKind::data, "data.{}: every step is '{}': expected at least two classes to tell apart", data.name(),
         labels.name(0));
  }
  std::vector<std::string> names = labels.names();
  const std::int64_t right = positive ? labels.id(*positive, "positive") : labels.size() - 1;
  std::rotate(names.begin() + right, names.begin() + right + 1, names.end());
  log_info("data.{}: '{}' is a right step", data.name(), names.back());
  return labels.in_order(names);
}

std::unique_ptr<Objective> step_objective(Run& run, const Dataset& data, const LabelSet& labels,
                                          const std::string& separator, std::int64_t held_out_rows,
                                          std::int64_t tokens_per_pass) {
  const StepEncoder encoder(*run.tokenizer, separator);
  LearnableRows rows = load_splits(data, held_out_rows, [&](Split split) {
    EncodedRows encoded = encode_steps(data, split, encoder, input_of(*run.model).context, labels);
    log_info("data.{}: {}steps of {}", data.name(), split == Split::held_out ? "held out: " : "", encoded.report.text());
    return std::move(encoded.examples);
  });
  return std::make_unique<StepObjective>(run, std::move(rows), tokens_per_pass, labels.size());
}

}  // namespace hone
