#include "stages/reward_model.h"

#include <memory>

#include "algo/label_loss.h"
#include "base/error.h"
#include "base/log.h"
#include "stages/answer_pairs.h"
#include "stages/attribute_objective.h"
#include "stages/classify.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"
#include "stages/pair_objective.h"
#include "stages/step_objective.h"

namespace hone {

namespace {

double share(const at::Tensor& correct_S) { return correct_S.to(at::kDouble).mean().item<double>(); }

std::vector<double> margins_of(const Dataset& data, Split split, const std::vector<TokenExample>& examples) {
  std::vector<double> margins;
  for (std::size_t i = 0; i < examples.size(); i += 2) {
    margins.push_back(data.rows(split)[static_cast<std::size_t>(examples[i].row)].value);
  }
  return margins;
}

/// Pairs of answers to the same prompt, and by how much the chosen one should win.
class RankingObjective : public PairObjective {
 public:
  RankingObjective(Run& run, const Dataset& data, LearnableRows rows, std::int64_t tokens_per_pass, double centering)
      : PairObjective(run, std::move(rows), tokens_per_pass),
        margins_{stream_tensor(margins_of(data, Split::train, examples().train), at::kDouble),
                 stream_tensor(margins_of(data, Split::held_out, examples().held_out), at::kDouble)},
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
                "Name of the data set: pairs (prompt+chosen+rejected, perhaps with a margin or with preferences), rows with "
                "labels of two classes, with several scores, or solutions with a label for each step "
                "(prompt+completions+labels).");
  f.field("positive", positive, "Label of the class that is rewarded, of a step that is right; by default the last by name.");
  f.field("center_rewards_coefficient", centering,
          "Weight of the squared sum of a pair's scores, which keeps scores around 0; 0.01 is usual.", at_least(0));
  f.field("weights", weights, "Of several scores or preferences: what each counts in the loss, by name; others 1.");
  f.field("step_separator", step_separator, "What stands behind each step; a step's label is learned at its last token.");
  f.check(!step_separator.empty(), "step_separator", "must not be empty");
  describe_training(f, "Held-out evaluation: eval/loss with eval/accuracy, eval/margin, eval/mean_reward, with eval/mse and "
                       "eval/pearson of each score, or with eval/first_error of steps.");
}

void RewardModelSpec::refuse_unused(const Dataset& dataset, bool pairs, bool several) const {
  const bool steps = dataset.shape() == DataShape::prompt_steps;
  if (positive && (pairs || several)) {
    fail(ErrorKind::config, "stages.{}.positive: data.{} consists of {}, which have no labels", name, data,
         pairs ? "pairs" : "rows with scores");
  }
  if (!pairs && centering != 0) {
    fail(ErrorKind::config, "stages.{}.center_rewards_coefficient: is for pairs, and data.{} has rows of {}", name, data,
         dataset.shape_name());
  }
  if (!several && !weights.empty()) {
    fail(ErrorKind::config, "stages.{}.weights: are for rows with several scores or preferences, and data.{} has none", name,
         data);
  }
  if (!steps && step_separator != "\n") {
    fail(ErrorKind::config, "stages.{}.step_separator: is for rows of {}, and data.{} has rows of {}", name,
         name_of(DataShape::prompt_steps), data, dataset.shape_name());
  }
}

std::unique_ptr<Objective> RewardModelSpec::several_scores(Run& run, const Dataset& dataset, HeadPlan& plan) const {
  Attributes attributes = attributes_of(dataset, weights);
  plan = {.lm = false, .scores = static_cast<std::int64_t>(attributes.names.size()), .labels = attributes.names};
  if (plan.scores > 1) plan.problem_type = problem_type_names[static_cast<std::size_t>(ProblemType::regression)];
  return attribute_objective(run, dataset, std::move(attributes), centering, evaluation.rows, training.tokens_per_pass);
}

StageStart RewardModelSpec::prepare_steps(Run& run, const Dataset& dataset) const {
  require_kind(run, name, {PolicyKind::encoder, PolicyKind::decoder}, "steps are read in place, not generated");
  const LabelSet labels = step_labels(dataset, positive);
  const std::shared_ptr<Objective> objective =
      step_objective(run, dataset, labels, step_separator, evaluation.rows, training.tokens_per_pass);
  return [this, &run, labels, objective] {
    run.use_heads({.lm = false, .scores = labels.size(), .score_kind = HeadKind::tokens, .labels = labels.names()});
    StageSummary summary = learn(run, *objective);
    save_labels(run, name, labels);
    return summary;
  };
}

StageStart RewardModelSpec::prepare(Run& run) const {
  require_fixed_rows(run);
  const std::shared_ptr<const Dataset> dataset = run.dataset(data);
  const bool pairs = dataset->shape() == DataShape::preference, several = has_attributes(*dataset);
  refuse_unused(*dataset, pairs, several);
  if (dataset->shape() == DataShape::prompt_steps) return prepare_steps(run, *dataset);
  HeadPlan plan{.lm = false, .scores = 1};
  std::shared_ptr<Objective> objective;
  if (several) {
    objective = several_scores(run, *dataset, plan);
  } else if (pairs) {
    objective = std::make_shared<RankingObjective>(run, *dataset, load_answer_pairs(run, *dataset, evaluation.rows),
                                                   training.tokens_per_pass, centering);
  } else {
    objective = labelled_objective(run, *dataset, *this);
  }
  return [this, &run, plan, objective] {
    run.use_heads(plan);
    return learn(run, *objective);
  };
}

}  // namespace hone
