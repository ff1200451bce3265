#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "stages/trainer_state.h"

namespace hone {

/// The inverse of a temperature, fixed or learned beside the model as in CLIP (Radford et al. 2021): Adam without decay
/// and schedule moves its logarithm, and the scale stays at most 100 (or where it starts). It belongs to the training,
/// not to the model.
class LearnedScale {
 public:
  /// learning_rate 0: fixed.
  LearnedScale(double temperature, double learning_rate);

  bool learned() const { return learning_rate_ > 0; }
  double temperature() const;
  /// The scale of the next loss, a float64 scalar; carries a gradient where it is learned.
  at::Tensor draw();
  /// Moves by the gradient that the last draw() got; not by one that is not finite.
  void update();
  void exchange(TrainerState& state);

 private:
  double learning_rate_;
  double greatest_log_;
  double log_scale_;
  at::Tensor leaf_;
  double first_moment_ = 0, second_moment_ = 0;
  std::int64_t updates_ = 0;
};

}  // namespace hone
