#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "algo/batch.h"
#include "stages/run.h"
#include "stages/trainer_state.h"

namespace hone {

/// The policy as it was when the stage began: what a KL penalty measures against. Where adapters are trained it shares
/// the model's matrices and keeps the adapters' first values alone; otherwise it is a copy.
class Reference {
 public:
  /// The run and its model must outlive this.
  explicit Reference(Run& run);

  /// As stages' batch_logprobs of the model.
  at::Tensor logprobs(const Batch& batch, double inverse_temperature, std::int64_t tokens_per_pass);
  void exchange(TrainerState& state);

 private:
  void swap_adapters();

  Model& model_;
  std::unique_ptr<Model> copy_;                         ///< null with adapters
  std::vector<std::pair<Parameter, at::Tensor>> kept_;  ///< adapters' parameters with their first values
};

}  // namespace hone
