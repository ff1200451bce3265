#include "stages/reward_model.h"

#include <memory>

#include "algo/label_loss.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "data/examples.h"
#include "stages/classify.h"
#include "stages/example_objective.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"
#include "stages/to_batch.h"

namespace hone {

namespace {

double share(const at::Tensor& correct_S) { return correct_S.to(at::kDouble).mean().item<double>(); }

/// Chosen and rejected answers, one after the other: a row is a pair.
class PairObjective : public ExampleObjective {
 public:
  using ExampleObjective::ExampleObjective;

  std::uint64_t rows() const override { return examples().train.size() / 2; }
  std::int64_t tokens(std::uint64_t row) const override {
    return ExampleObjective::tokens(2 * row) + ExampleObjective::tokens(2 * row + 1);
  }
  Batch batch(std::span<const std::uint64_t> rows, std::uint64_t) const override {
    return to_batch(pack_pairs(examples().train, rows));
  }
  double denominator(const Batch& batch) const override { return static_cast<double>(batch.sequences()) / 2; }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    return pair_loss(sequence_scores(model(), part, dropout), denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor score_S1 = batch_scores(model(), batch, tokens_per_pass());
    const at::Tensor margin_P = column(score_S1, 0) - column(score_S1, 1);
    return {{"eval/loss", pair_loss(score_S1, denominator(batch)).item<double>()},
            {"eval/accuracy", share(margin_P > 0)},
            {"eval/margin", margin_P.mean().item<double>()}};
  }

  std::vector<Headline> headlines() const override { return {{"eval/accuracy", "accuracy (pairs)"}}; }

 private:
  static at::Tensor column(const at::Tensor& score_S1, std::int64_t which) {
    return score_S1.view({-1, 2}).select(1, which);
  }
  static at::Tensor pair_loss(const at::Tensor& score_S1, double denominator) {
    return bradley_terry_loss(column(score_S1, 0), column(score_S1, 1), {}, denominator);
  }
};

/// Rows of two classes; the score is the log-odds of the positive one.
class LogisticObjective : public ExampleObjective {
 public:
  LogisticObjective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass, std::int64_t positive)
      : ExampleObjective(run, std::move(rows), tokens_per_pass), positive_(positive) {}

  double denominator(const Batch& batch) const override { return static_cast<double>(batch.sequences()); }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    return binary_logistic_loss(sequence_scores(model(), part, dropout).squeeze(1), label_of(part), denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor score_S = batch_scores(model(), batch, tokens_per_pass()).squeeze(1);
    const at::Tensor label_S = label_of(batch);
    return {{"eval/loss", binary_logistic_loss(score_S, label_S, denominator(batch)).item<double>()},
            {"eval/accuracy", share((score_S > 0) == (label_S > 0))}};
  }

  std::vector<Headline> headlines() const override { return {{"eval/accuracy", "accuracy"}}; }

 private:
  at::Tensor label_of(const Batch& batch) const { return (batch.target_S == positive_).to(at::kFloat); }

  std::int64_t positive_;
};

/// Each answer with its prompt as one document, which is how a reward model is asked.
std::vector<TokenExample> encode_answers(Run& run, const Dataset& data, Split split, std::size_t most) {
  const ModelInput input = input_of(*run.model);
  std::vector<TokenExample> examples;
  const std::span<const DataRow> rows = data.rows(split);
  for (std::size_t i = 0; i < std::min(rows.size(), most); ++i) {
    const DataRow& row = rows[i];
    for (const std::string* answer : {&row.chosen, &row.rejected}) {
      if (answer->empty()) {
        fail(ErrorKind::data, "{}: `{}` is empty: a pair compares two answers", data.place(split, i),
             answer == &row.chosen ? "chosen" : "rejected");
      }
      examples.push_back(document_example(*run.tokenizer, row.prompt + *answer, input));
      examples.back().row = static_cast<std::int64_t>(i);
    }
  }
  return examples;
}

LearnableRows load_pairs(Run& run, const Dataset& data, std::int64_t held_out_rows) {
  LearnableRows rows;
  rows.train = encode_answers(run, data, Split::train, data.rows(Split::train).size());
  if (data.has(Split::held_out)) {
    rows.held_out = encode_answers(run, data, Split::held_out, static_cast<std::size_t>(held_out_rows));
  } else {
    log_warn("data.{}: no rows are held out, so nothing is evaluated on them", data.name());
  }
  log_info("data.{}: {} pairs to learn from", data.name(),
           format_count(static_cast<std::int64_t>(rows.train.size()) / 2));
  return rows;
}

std::unique_ptr<Objective> labelled_objective(Run& run, const Dataset& data, const RewardModelSpec& spec) {
  const LabelSet classes = classes_of(data);
  if (classes.size() != 2) {
    fail(ErrorKind::data,
         "data.{}: a reward model learns from two classes, found {}; use a classify stage for more, whose score is the "
         "log-odds of the last class",
         data.name(), classes.size());
  }
  const std::int64_t positive = spec.positive ? classes.id(*spec.positive, "positive") : 1;
  log_info("data.{}: '{}' is rewarded, '{}' is not", data.name(), classes.name(positive), classes.name(1 - positive));
  return std::make_unique<LogisticObjective>(run, load_labelled(run, data, classes, spec.evaluation.rows),
                                             spec.training.tokens_per_pass, positive);
}

}  // namespace

void RewardModelSpec::describe_stage(Fields& f) {
  f.field("data", data, "Name of the data set: pairs (prompt+chosen+rejected), or rows with labels of two classes.");
  f.required();
  f.field("positive", positive, "Label of the class that is rewarded; by default the last by name.");
  training.describe(f);
  f.section("evaluation", evaluation, "Held-out evaluation: eval/loss, eval/accuracy.");
}

StageSummary RewardModelSpec::run(Run& run) const {
  const std::shared_ptr<const Dataset> dataset = run.dataset(data);
  const bool pairs = dataset->shape() == DataShape::preference;
  if (pairs && positive) {
    fail(ErrorKind::config, "stages.{}.positive: data.{} consists of pairs, which have no labels", name, data);
  }
  run.use_heads({.lm = false, .scores = 1});
  std::unique_ptr<Objective> objective;
  if (pairs) {
    objective =
        std::make_unique<PairObjective>(run, load_pairs(run, *dataset, evaluation.rows), training.tokens_per_pass);
  } else {
    objective = labelled_objective(run, *dataset, *this);
  }
  return Training(run, training, evaluation.interval, name, *objective).run();
}

}  // namespace hone
