#include "stages/classify.h"

#include <filesystem>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "io/file.h"
#include "stages/model_kind.h"

namespace hone {

namespace {

HeadPlan heads_for(const ClassTargets& targets) {
  HeadPlan plan{.lm = false, .scores = targets.classes.size(), .score_kind = HeadKind::classes};
  plan.labels = targets.classes.names();
  if (targets.type == ProblemType::regression) plan.scores = 1;
  if (targets.type != ProblemType::single_label) {
    plan.problem_type = problem_type_names[static_cast<std::size_t>(targets.type)];
  }
  return plan;
}

/// As scikit-learn's "balanced": every class is worth the same. Of several labels at once: what holds is worth as much
/// as what does not.
std::vector<float> balanced_weights(const ClassTargets& targets, std::size_t rows) {
  std::vector<float> weights;
  const auto all = static_cast<double>(rows), classes = static_cast<double>(targets.classes.size());
  for (const std::int64_t count : targets.classes.counts()) {
    const auto of_class = static_cast<double>(count);
    weights.push_back(static_cast<float>(targets.type == ProblemType::multi_label ? (all - of_class) / of_class
                                                                                  : all / (classes * of_class)));
  }
  return weights;
}

LearnableRows encode(Run& run, const Dataset& data, const LengthLimit& length, const ClassTargets& targets,
                     std::int64_t held_out_rows) {
  return load_splits(data, held_out_rows, [&](Split split) {
    TextEncoder encoder(*run.tokenizer, input_of(*run.model), length);
    std::vector<TokenExample> examples = encode_classified(data, split, encoder, targets);
    log_info("data.{}: {}{}", data.name(), split == Split::held_out ? "held out: " : "", encoder.report().text());
    return examples;
  });
}

}  // namespace

void ClassifySpec::describe_stage(Fields& f) {
  describe_data(f,
                "Name of the data set: a text (or prompt, or messages), perhaps a text_pair, and a label, labels (several at "
                "once) or a value.");
  f.choice("problem_type", problem_type, problem_choice_names,
           "One class a text, several at once, or a number; `auto` goes by the columns label, labels and value.");
  f.field("class_weights", class_weights, "What rows of a class count in the loss, by its name; others count 1.");
  f.field("balanced", balanced,
          "Weighs each class by rows / (classes · rows of the class); of several labels at once, what holds by the rows "
          "without the class / rows with it.");
  f.field("label_smoothing", label_smoothing, "Share of a label that is spread over all classes.",
          {.low = 0, .high = 1, .open_high = true});
  length.describe(f);
  describe_training(f,
                    "Held-out evaluation: eval/loss with eval/accuracy, precision, recall, f1 and mcc, or with eval/mae, "
                    "r2, pearson and spearman.");
  f.check(!balanced || class_weights.empty(), "balanced", "goes without class_weights");
}

LabelSet classes_of(const Run& run, const Dataset& data, HeadKind kind) {
  LabelSet classes = classes_of(data);
  const HeadPlan& plan = run.model->plan;
  if (plan.scores != classes.size() || plan.score_kind != kind) return classes;
  for (const std::string& name : plan.labels) {
    if (classes.find(name) < 0) return classes;
  }
  return plan.labels.empty() ? classes : classes.in_order(plan.labels);
}

void save_labels(const Run& run, const std::string& stage, const LabelSet& labels) {
  std::filesystem::create_directories(run.checkpoint_directory(stage));
  write_file_atomic(run.checkpoint_directory(stage) / "labels.json", labels.to_json().dump(2) + "\n");
}

ClassTargets ClassifySpec::targets_of(const Run& run, const Dataset& dataset) const {
  ClassTargets targets;
  if (problem_type == ProblemChoice::automatic) {
    targets.type = problem_type_of(dataset);
  } else {
    targets.type = static_cast<ProblemType>(static_cast<int>(problem_type) - 1);
    require_problem_type(dataset, targets.type);
  }
  if (targets.type != ProblemType::regression) targets.classes = classes_of(run, dataset, HeadKind::classes);
  return targets;
}

ClassLoss ClassifySpec::loss_of(const Dataset& dataset, const ClassTargets& targets) const {
  const bool weighted = balanced || !class_weights.empty();
  if (targets.type == ProblemType::regression && (weighted || label_smoothing > 0)) {
    fail(ErrorKind::config, "stages.{}: class_weights, balanced and label_smoothing are for classes, and data.{} has "
         "numbers", name, data);
  }
  if (targets.type == ProblemType::multi_label && label_smoothing > 0) {
    fail(ErrorKind::config, "stages.{}.label_smoothing: is for rows of one label", name);
  }
  ClassLoss loss{.weight_C = {}, .label_smoothing = label_smoothing};
  if (!weighted) return loss;
  std::vector<float> weights(static_cast<std::size_t>(targets.classes.size()), 1.0F);
  if (balanced) weights = balanced_weights(targets, dataset.rows(Split::train).size());
  for (const auto& [of_class, weight] : class_weights) {
    const std::int64_t id = targets.classes.id(of_class, fmt::format("stages.{}.class_weights", name));
    if (!(weight >= 0)) fail(ErrorKind::config, "stages.{}.class_weights.{}: {} is negative", name, of_class, weight);
    weights[static_cast<std::size_t>(id)] = static_cast<float>(weight);
  }
  loss.weight_C = stream_tensor(weights, at::kFloat);
  return loss;
}

StageStart ClassifySpec::prepare(Run& run) const {
  const std::shared_ptr<const Dataset> dataset = run.dataset(data);
  const ClassTargets targets = targets_of(run, *dataset);
  const ClassLoss loss = loss_of(*dataset, targets);
  LearnableRows rows = encode(run, *dataset, length, targets, evaluation.rows);
  return [this, &run, dataset, targets, loss, rows = std::move(rows)]() mutable {
    run.use_heads(heads_for(targets));
    const auto objective = class_objective(run, std::move(rows), training.tokens_per_pass, targets, loss);
    objective->redraw_rows(redrawn_rows(
        dataset, *run.tokenizer, input_of(*run.model), length,
        [&](const DataRow& row, std::int64_t number, TextEncoder& encoder) -> std::vector<TokenExample> {
          return {encode_classified(*dataset, Split::train, row, number, encoder, targets)};
        }));
    StageSummary summary = learn(run, *objective);
    if (targets.type != ProblemType::regression) save_labels(run, name, targets.classes);
    return summary;
  };
}

}  // namespace hone
