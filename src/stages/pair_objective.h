#pragma once

#include "stages/example_objective.h"

namespace hone {

/// Chosen and rejected answers, one after the other: a row is a pair, which is never divided. Pair p is what `row` of
/// its examples says.
class PairObjective : public ExampleObjective {
 public:
  using ExampleObjective::ExampleObjective;

  std::uint64_t rows() const override { return examples().train.size() / 2; }
  std::int64_t tokens(std::uint64_t row) const override {
    return ExampleObjective::tokens(2 * row) + ExampleObjective::tokens(2 * row + 1);
  }
  Batch batch(std::span<const std::uint64_t> rows, std::uint64_t draw) const override;
  double denominator(const Batch& batch) const override { return static_cast<double>(batch.sequences()) / 2; }

 protected:
  /// Of numbers for chosen, rejected, chosen …: those for the chosen (0) or the rejected (1) answers.
  static at::Tensor side(const at::Tensor& value_S, std::int64_t which) { return value_S.view({-1, 2}).select(1, which); }
};

}  // namespace hone
