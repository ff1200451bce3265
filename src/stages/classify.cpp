#include "stages/classify.h"

#include <filesystem>

#include "algo/label_loss.h"
#include "algo/label_metrics.h"
#include "base/error.h"
#include "io/file.h"
#include "stages/example_objective.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

class ClassObjective : public ExampleObjective {
 public:
  using ExampleObjective::ExampleObjective;

  double denominator(const Batch& batch) const override { return class_denominator(batch.target_S, {}); }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    return classification_loss(sequence_scores(model(), part, dropout), part.target_S, {}, denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor logits_SC = batch_scores(model(), batch, tokens_per_pass());
    const double loss = classification_loss(logits_SC, batch.target_S, {}, denominator(batch)).item<double>();
    const LabelMetrics metrics =
        label_metrics(confusion_matrix(logits_SC.argmax(1), batch.target_S, logits_SC.size(1)));
    return {{"eval/loss", loss},
            {"eval/accuracy", metrics.accuracy},
            {"eval/precision", metrics.precision},
            {"eval/recall", metrics.recall},
            {"eval/f1", metrics.f1}};
  }

  std::vector<Headline> headlines() const override { return {{"eval/accuracy", "accuracy"}}; }
};

}  // namespace

void ClassifySpec::describe_stage(Fields& f) {
  f.field("data", data, "Name of the data set of labelled rows (text+label or prompt+label).");
  f.required();
  training.describe(f);
  f.section("evaluation", evaluation,
            "Held-out evaluation: eval/accuracy, precision, recall, f1 (means over classes).");
}

LabelSet classes_of(const Dataset& data) {
  LabelSet classes = LabelSet::of(data.labels(Split::train));
  if (classes.size() < 2) {
    fail(ErrorKind::data, "data.{}: expected at least two classes to tell apart, found {}: {}", data.name(),
         classes.size(), classes.size() == 1 ? classes.name(0) : "no labels");
  }
  return classes;
}

StageSummary ClassifySpec::run(Run& run) const {
  const std::shared_ptr<const Dataset> dataset = run.dataset(data);
  const LabelSet classes = classes_of(*dataset);
  LearnableRows rows = load_labelled(run, *dataset, classes, evaluation.rows);
  run.use_heads({.lm = false, .scores = classes.size(), .score_kind = HeadKind::classes, .labels = classes.names()});
  ClassObjective objective(run, std::move(rows), training.tokens_per_pass);
  StageSummary summary = Training(run, training, evaluation.interval, name, objective).run();
  std::filesystem::create_directories(run.checkpoint_directory(name));
  write_file_atomic(run.checkpoint_directory(name) / "labels.json", classes.to_json().dump(2) + "\n");
  return summary;
}

}  // namespace hone
