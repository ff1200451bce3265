#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "algo/batch.h"
#include "data/order.h"
#include "optim/optimizer.h"
#include "optim/weight_average.h"
#include "report/metrics.h"
#include "stages/checkpointer.h"
#include "stages/pass_plan.h"
#include "stages/run.h"
#include "stages/step_means.h"
#include "stages/stopping.h"
#include "stages/stopwatch.h"

namespace hone {

/// What the supervised stages have in common in their configuration.
struct TrainingConfig {
  std::optional<std::int64_t> steps;
  std::optional<double> epochs;
  std::int64_t batch_size = 32;
  TokensPerPass tokens_per_pass;
  bool gradient_checkpointing = false;
  std::string memory = "auto";
  OptimizerConfig optimizer;
  double average_decay = 0;
  double dropout = 0;
  std::int64_t max_skipped_updates = 3;
  StoppingConfig stop_when;
  std::int64_t log_every = 1;
  std::int64_t checkpoint_every = 0;

  void describe(Fields& f);
  /// Optimizer steps over that many rows.
  std::int64_t total_steps(std::uint64_t rows) const;
  StageArithmetic arithmetic() const;
};

/// How often held-out rows are looked at, beside the looks before the first and after the last step.
struct EvaluationInterval {
  std::int64_t steps = 0;  ///< 0: never
  double epochs = 0;       ///< 0: never

  void describe(Fields& f);
  /// Whether an evaluation falls between the two.
  bool due(std::int64_t step, double epochs_before, double epochs_after) const;
};

/// The part of `evaluation:` that stages without generation have.
struct HeldOutConfig {
  EvaluationInterval interval;
  std::int64_t rows = 1000;
  void describe(Fields& f);
};

/// Dropout of one forward pass.
struct DropoutDraw {
  double probability = 0;
  std::uint64_t key = 0;
};

/// How the gradient of one optimizer step is computed.
struct GradientPass {
  std::int64_t tokens_per_pass = 0;
  double dropout = 0;
  std::uint64_t draw = 0;  ///< the step's random key
};

/// A row and the pass over the rows that comes to it, from 0.
struct VisitedRow {
  std::uint64_t row = 0;
  std::uint64_t epoch = 0;
};

/// What a supervised stage learns. The loop below knows neither tokens nor labels.
class Objective {
 public:
  virtual ~Objective() = default;

  /// Rows to learn from, ≥ 1. A row is never divided between two forward passes.
  virtual std::uint64_t rows() const = 0;
  virtual std::int64_t tokens(std::uint64_t row) const = 0;
  /// `draw` is the step's random key: new in every step, the same for all parts of one. What an objective draws for a
  /// row (masks, noise) is keyed by (draw, row), so that it does not depend on how the batch is cut.
  virtual Batch batch(std::span<const std::uint64_t> rows, std::uint64_t draw) const = 0;

  /// The rows that a step is about to learn from, and the epoch of each: the time to draw what changes with epochs.
  virtual void visit(std::span<const VisitedRow> rows) { (void)rows; }

  /// What the loss of a whole batch is divided by.
  virtual double denominator(const Batch& batch) const = 0;
  /// The share of `part` in the loss of the batch with that denominator: a float64 scalar that carries the gradient.
  /// The shares of all parts add up to the loss of the batch.
  virtual at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) = 0;

  /// Adds the gradient of the loss of `rows` to the store of the model that learns; returns the loss. Computes at most
  /// tokens_per_pass tokens at once (or one longer row): without dropout neither the gradient nor the loss depends on
  /// that bound beyond rounding. Losses that compare all rows of a batch with each other override it.
  virtual double accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass);

  /// Further figures of the last accumulate().
  virtual MetricValues take_metrics() { return {}; }
  /// What a checkpoint keeps of the objective between two steps.
  virtual void exchange(TrainerState& state) { (void)state; }

  /// Held-out figures; none when nothing is held out.
  virtual MetricValues evaluate() = 0;
  /// Which of them the final table shows, and under which titles.
  struct Headline {
    std::string metric;
    std::string title;
  };
  virtual std::vector<Headline> headlines() const = 0;
  /// What the last evaluation generated, for people to read.
  virtual std::span<const Episode> episodes() const { return {}; }
};

/// The loop that pretrain, sft, classify and reward_model share. One step:
///
///     next rows ─► pack ─► loss, gradient (part by part) ─► optimizer ─► (evaluate, checkpoint, stop)
///
/// Where an average of the weights is kept, it is what is evaluated, chosen among and left at the end; the weights that
/// learn are the checkpoints'.
class Training {
 public:
  /// Everything is borrowed and must outlive the loop. `stage` names checkpoints and random streams.
  Training(Run& run, const TrainingConfig& config, const EvaluationInterval& interval, const std::string& stage,
           Objective& objective);

  /// Takes up the stage where an earlier process left it, or starts it. Error{data} when more than max_skipped_updates
  /// updates in a row had a loss or gradient that is not finite: the weights before the first of them are saved as
  /// `failed` among the stage's checkpoints, and the last batch lies in the run directory.
  StageSummary run();

 private:
  void learn();
  void exchange(TrainerState& state);
  PassPlan plan_passes() const;
  void take_step(std::int64_t step);
  /// The optimizer's part of a step: skipped where the loss is not finite.
  StepReport update(double loss);
  /// The random key of a step.
  std::uint64_t step_key(std::int64_t step) const;
  void count_skipped(bool skipped, std::span<const std::uint64_t> rows, std::int64_t step);
  /// Evaluates after step_ and reports.
  void evaluate();
  MetricValues measure();
  void choose(const Stopping::Verdict& verdict);
  void adopt_final();
  void show_samples(const std::string& when);

  Run& run_;
  const TrainingConfig& config_;
  const EvaluationInterval interval_;
  const std::string& stage_;
  Objective& objective_;
  std::int64_t total_steps_;
  std::uint64_t batch_rows_;
  PassPlan passes_;
  Optimizer optimizer_;
  std::optional<WeightAverage> average_;
  RowOrder order_;
  RowOrder::Cursor cursor_;  ///< of order_ after the last complete step
  Stopping stopping_;
  BestWeights best_;
  bool best_is_current_ = true;
  StepMeans means_;
  StageSummary summary_;
  Stopwatch watch_;
  std::int64_t step_ = 0;  ///< complete, but for its evaluation
  bool evaluation_due_ = true;
  std::string stop_;  ///< why the stage ends early; "": it does not
  std::int64_t skipped_ = 0, skipped_in_a_row_ = 0;
  Checkpointer checkpointer_;
};

}  // namespace hone
