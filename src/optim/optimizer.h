#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nn/parameter_store.h"
#include "optim/optimizer_config.h"
#include "optim/update_rule.h"

namespace hone {

struct StepReport {
  double grad_norm = 0;      ///< of the whole gradient times grad_scale, before clipping; NaN or infinite when skipped
  double learning_rate = 0;  ///< of the trunk in this update
  bool clipped = false;
  bool skipped = false;  ///< the gradient was not finite: nothing but the gradient changed
};

/// Clips, schedules and hands the flat arenas of one store to an update rule. Frozen segments are left alone; segments
/// of the critic may have a peak rate of their own.
///
/// Call order: (backward* step)*. Not thread-safe; the kernels use the process's team.
class Optimizer {
 public:
  /// The store must be trainable, allocated, and outlive the optimizer. `total_steps`: what the schedule ends at.
  /// Error{config} as parameter_blocks and the rule have it.
  Optimizer(ParameterStore& store, const OptimizerConfig& config, std::int64_t total_steps,
            std::optional<double> critic_learning_rate = std::nullopt);
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update from the accumulated gradients times `grad_scale`, clipped to max_grad_norm by their global norm:
  /// factor min(1, max_grad_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ has it. Then gradients are zero,
  /// packed weights current and the store's version is one higher.
  ///
  /// When the norm is NaN or infinite the update is skipped: weights, moments, step count, version and schedule stay
  /// bit for bit what they were, only the gradients become zero.
  StepReport step(double grad_scale = 1.0);

  /// Updates made; what the schedule and the bias correction count.
  std::int64_t steps() const { return steps_; }
  double learning_rate() const;  ///< of the trunk in the next update

  /// What a checkpoint keeps beside steps(): the rule's live moments by name. Restoring writes into them and sets the
  /// steps.
  std::vector<std::pair<std::string, at::Tensor>> state() const { return rule_->state(); }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  ParameterStore& store_;
  OptimizerConfig config_;
  std::int64_t total_steps_;
  double critic_learning_rate_;
  std::int64_t steps_ = 0;
  std::unique_ptr<UpdateRule> rule_;
};

}  // namespace hone
