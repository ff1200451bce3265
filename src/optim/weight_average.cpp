#include "optim/weight_average.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/update/update.h"

namespace hone {

WeightAverage::WeightAverage(ParameterStore& store, double decay) : store_(store), decay_(decay) {
  HONE_ASSERT(store.trainable() && decay > 0 && decay < 1);
  average_ = trained().clone();
}

/// Trained segments come first in the arena, as in that of the gradients.
at::Tensor WeightAverage::trained() const { return store_.weights().narrow(0, 0, store_.grads().numel()); }

void WeightAverage::update() {
  ++updates_;
  const auto n = static_cast<double>(updates_);
  kernels::move_average(average_, trained(), 1.0 - std::min(decay_, (1.0 + n) / (10.0 + n)));
}

void WeightAverage::adopt() {
  trained().copy_(average_);
  store_.refresh();
}

void WeightAverage::swap() {
  const at::Tensor weights = trained().clone();
  trained().copy_(average_);
  average_.copy_(weights);
  store_.refresh();
}

WeightAverage::InPlace::InPlace(WeightAverage& average) : average_(average) { average_.swap(); }

WeightAverage::InPlace::~InPlace() { average_.swap(); }

}  // namespace hone
