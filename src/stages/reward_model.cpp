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
#include "stages/pair_objective.h"

namespace hone {

namespace {

double share(const at::Tensor& correct_S) { return correct_S.to(at::kDouble).mean().item<double>(); }

/// Chosen and rejected answers with their prompts as documents, which is how a reward model is asked.
struct PairRows {
  LearnableRows examples;
  std::vector<double> train_margins, held_out_margins;  ///< 0 where a row names none
};

void encode_answers(Run& run, const Dataset& data, Split split, std::size_t most, std::vector<TokenExample>& examples,
                    std::vector<double>& margins) {
  const ModelInput input = input_of(*run.model);
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
    if (examples.back().ids == examples[examples.size() - 2].ids) {
      fail(ErrorKind::data, "{}: `chosen` and `rejected` are the same within the context of {} tokens: a pair must tell "
           "which answer is better", data.place(split, i), input.context);
    }
    margins.push_back(row.value);
  }
}

PairRows load_pairs(Run& run, const Dataset& data, std::int64_t held_out_rows) {
  PairRows rows;
  encode_answers(run, data, Split::train, data.rows(Split::train).size(), rows.examples.train, rows.train_margins);
  if (data.has(Split::held_out)) {
    encode_answers(run, data, Split::held_out, static_cast<std::size_t>(held_out_rows), rows.examples.held_out,
                   rows.held_out_margins);
  } else {
    log_warn("data.{}: no rows are held out, so nothing is evaluated on them", data.name());
  }
  log_info("data.{}: {} pairs to learn from", data.name(),
           format_count(static_cast<std::int64_t>(rows.train_margins.size())));
  return rows;
}

/// Pairs of answers to the same prompt, and by how much the chosen one should win.
class RankingObjective : public PairObjective {
 public:
  RankingObjective(Run& run, PairRows rows, std::int64_t tokens_per_pass, double centering)
      : PairObjective(run, std::move(rows.examples), tokens_per_pass),
        margins_{stream_tensor(rows.train_margins, at::kDouble), stream_tensor(rows.held_out_margins, at::kDouble)},
        centering_(centering) {}

  double accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) override {
    metrics_.clear();
    return PairObjective::accumulate(rows, pass);
  }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    const at::Tensor margin_P = margins_.train.index_select(0, side(part.group_S, 0));
    return ranking_loss(sequence_scores(model(), part, dropout), margin_P, denominator, "", metrics_);
  }

  MetricValues take_metrics() override { return metrics_.values(); }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    Metrics metrics;
    const at::Tensor score_S1 = batch_scores(model(), batch, tokens_per_pass());
    const at::Tensor loss = ranking_loss(score_S1, margins_.held_out, denominator(batch), "eval/", metrics);
    MetricValues values{{"eval/loss", loss.item<double>()}};
    for (auto& value : metrics.values()) values.push_back(std::move(value));
    return values;
  }

  std::vector<Headline> headlines() const override { return {{"eval/accuracy", "accuracy (pairs)"}}; }

 private:
  struct Margins {
    at::Tensor train, held_out;  ///< of pair p
  };

  at::Tensor ranking_loss(const at::Tensor& score_S1, const at::Tensor& margin_P, double denominator,
                          const std::string& prefix, Metrics& metrics) const {
    const at::Tensor chosen_P = side(score_S1, 0).to(at::kDouble), rejected_P = side(score_S1, 1).to(at::kDouble);
    const auto add = [&, count = static_cast<double>(margin_P.size(0))](const char* name, const at::Tensor& value_P) {
      metrics.add(prefix + name, value_P.detach().to(at::kDouble).mean().item<double>(), count);
    };
    add("accuracy", chosen_P > rejected_P);
    add("margin", chosen_P - rejected_P);
    add("mean_reward", (chosen_P + rejected_P) / 2);
    at::Tensor loss = bradley_terry_loss(chosen_P, rejected_P, margin_P, denominator);
    if (centering_ != 0) loss = loss + centering_ * centering_loss(chosen_P, rejected_P, denominator);
    return loss;
  }

  Margins margins_;
  double centering_;
  Metrics metrics_;
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
  describe_data(f,
                "Name of the data set: pairs (prompt+chosen+rejected, perhaps with a margin), or rows with labels of two "
                "classes.");
  f.field("positive", positive, "Label of the class that is rewarded; by default the last by name.");
  f.field("center_rewards_coefficient", centering,
          "Weight of the squared sum of a pair's scores, which keeps scores around 0; 0.01 is usual.", at_least(0));
  describe_training(f, "Held-out evaluation: eval/loss, eval/accuracy, eval/margin, eval/mean_reward.");
}

StageSummary RewardModelSpec::run(Run& run) const {
  const std::shared_ptr<const Dataset> dataset = run.dataset(data);
  const bool pairs = dataset->shape() == DataShape::preference;
  if (pairs && positive) {
    fail(ErrorKind::config, "stages.{}.positive: data.{} consists of pairs, which have no labels", name, data);
  }
  if (!pairs && centering != 0) {
    fail(ErrorKind::config, "stages.{}.center_rewards_coefficient: data.{} has labels, whose scores are log-odds", name,
         data);
  }
  run.use_heads({.lm = false, .scores = 1});
  std::unique_ptr<Objective> objective;
  if (pairs) {
    objective = std::make_unique<RankingObjective>(run, load_pairs(run, *dataset, evaluation.rows),
                                                   training.tokens_per_pass, centering);
  } else {
    objective = labelled_objective(run, *dataset, *this);
  }
  return learn(run, *objective);
}

}  // namespace hone
