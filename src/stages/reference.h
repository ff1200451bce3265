#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "algo/batch.h"
#include "stages/run.h"
#include "stages/trainer_state.h"

namespace hone {

/// What a KL penalty measures against: the policy as it was when the stage began, or a named model. Of the policy, where
/// adapters are trained, it shares the model's matrices and keeps the adapters' first values alone; otherwise it is a
/// copy.
class Reference {
 public:
  /// The run and its model must outlive this.
  explicit Reference(Run& run);
  /// Weights of an earlier stage or of a model directory of the run's own shape. Error{config} when there is none.
  Reference(Run& run, const std::string& stage_or_directory);

  /// As stages' batch_logprobs of the model.
  at::Tensor logprobs(const Batch& batch, double inverse_temperature, std::int64_t tokens_per_pass);
  /// reference ← (1 - mix)·reference + mix·policy. Error{config} for a named reference of a policy with adapters.
  void move(double mix);
  void exchange(TrainerState& state);

 private:
  void swap_adapters();

  Model& model_;
  std::unique_ptr<Model> copy_;                         ///< null with adapters
  std::vector<std::pair<Parameter, at::Tensor>> kept_;  ///< adapters' parameters with their first values
};

}  // namespace hone
