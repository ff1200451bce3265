#pragma once

#include <cstdint>
#include <vector>

#include "stages/contrastive.h"
#include "stages/example_objective.h"
#include "stages/learned_scale.h"

namespace hone {

/// Compares the texts of a batch's rows with each other. A batch lists the first texts of all rows, then the second,
/// then the third.
class ContrastiveObjective : public Objective {
 public:
  struct Rows {
    LearnableRows examples;  ///< `texts` a row, one behind the other
    std::int64_t texts;      ///< of one text both sides are made, which dropout tells apart
    RedrawRow redraw;        ///< empty: every epoch reads the same
  };

  /// `spec`, `run` and its model must outlive the objective. loss: not automatic.
  ContrastiveObjective(Run& run, Rows rows, const ContrastiveSpec& spec, ContrastiveLoss loss, const PoolingPlan& plan);

  std::uint64_t rows() const override { return count(rows_.examples.train); }
  void visit(std::span<const VisitedRow> rows) override;
  std::int64_t tokens(std::uint64_t row) const override;
  Batch batch(std::span<const std::uint64_t> rows, std::uint64_t draw) const override;
  double denominator(const Batch& batch) const override { return static_cast<double>(batch.sequences() / sides_); }
  /// Of whole batches alone: their rows cannot be judged apart.
  at::Tensor loss(const Batch& whole, double denominator, const DropoutDraw& dropout) override;

  /// Batches of more than tokens_per_pass tokens by gradient caching (Gao et al. 2021b, "Scaling Deep Contrastive
  /// Learning Batch Size under Memory Limited Setup"): vectors part by part without gradients, the gradient of the loss by
  /// the vectors, then each part again, from its share of that gradient on, with the same dropout.
  double accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) override;

  MetricValues take_metrics() override;
  void exchange(TrainerState& state) override { scale_.exchange(state); }
  MetricValues evaluate() override;
  std::vector<Headline> headlines() const override;

 private:
  std::uint64_t count(const std::vector<TokenExample>& examples) const;
  Batch batch_of_rows(const std::vector<TokenExample>& examples, std::span<const std::uint64_t> rows) const;
  at::Tensor loss_of(const at::Tensor& vector_SD, const at::Tensor& value_P);
  double accumulate_cached(const Batch& whole, std::span<const std::vector<std::int64_t>> cuts, const GradientPass& pass);

  Run& run_;
  const ContrastiveSpec& spec_;
  Rows rows_;
  std::int64_t sides_;
  ContrastiveLoss loss_;
  PoolingPlan plan_;
  LearnedScale scale_;
};

}  // namespace hone
