#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "nn/parameter_store.h"

namespace hone {

/// The exponential mean of the trained weights over updates: a ← a + (1 - d)(w - a), d = min(decay, (1 + n)/(10 + n)) in
/// update n from 1, so that the first weights are soon forgotten (TensorFlow's ExponentialMovingAverage with a number of
/// updates). It costs one float32 value a trained parameter.
class WeightAverage {
 public:
  /// Begins at the weights of now. `decay` in (0, 1). The store is borrowed.
  WeightAverage(ParameterStore& store, double decay);

  /// Takes the weights of now in, after an update.
  void update();

  /// Puts the average into the store in place of the weights; the packed copies follow.
  void adopt();

  /// The average in the store's place while it lives.
  class InPlace {
   public:
    explicit InPlace(WeightAverage& average);
    ~InPlace();
    InPlace(const InPlace&) = delete;
    InPlace& operator=(const InPlace&) = delete;

   private:
    WeightAverage& average_;
  };

  /// What a checkpoint keeps: the live values, and how many updates they have seen.
  const at::Tensor& values() const { return average_; }
  std::int64_t& updates() { return updates_; }

 private:
  void swap();
  at::Tensor trained() const;

  ParameterStore& store_;
  double decay_;
  std::int64_t updates_ = 0;
  at::Tensor average_;
};

}  // namespace hone
