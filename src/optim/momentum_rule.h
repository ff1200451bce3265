#pragma once

#include <string>
#include <utility>
#include <vector>

#include "optim/update_rule.h"

namespace hone {

/// What rules have in common that keep at most one moment a value and go value by value.
class MomentumRule : public UpdateRule {
 public:
  RangeUpdate apply(const Update& update) final {
    float* const weight = store_.weights().data_ptr<float>();
    const float* const grad = store_.grads().const_data_ptr<float>();
    float* const momentum = momentum_.defined() ? momentum_.data_ptr<float>() : nullptr;
    return [=, this](std::int64_t begin, std::int64_t end) {
      for_each_part(stretches_, begin, end, [&](const Stretch& stretch, std::int64_t first, std::int64_t count) {
        float* const state = momentum == nullptr ? nullptr : momentum + stretch.state + first - stretch.begin;
        update_part(weight + first, grad + first, state, count,
                    {.learning_rate = rate_of(stretch, config_.learning_rate, update),
                     .weight_decay = stretch.decay ? config_.weight_decay : 0.0,
                     .grad_scale = update.grad_scale});
      });
    };
  }

  std::vector<std::pair<std::string, at::Tensor>> state() const final {
    if (!momentum_.defined()) return {};
    return {{name_ + ".momentum", momentum_}};
  }

 protected:
  struct Pass {
    double learning_rate, weight_decay, grad_scale;
  };

  /// `name` opens the moment's name in checkpoints.
  MomentumRule(const RuleInputs& inputs, std::string name, bool has_momentum)
      : store_(inputs.store), config_(inputs.config), stretches_(join(inputs.blocks)), name_(std::move(name)) {
    if (has_momentum) momentum_ = arena(state_size(stretches_));
  }

  /// Of neighbouring values; called by several threads. `momentum` is null for a rule without one.
  virtual void update_part(float* weight, const float* grad, float* momentum, std::int64_t count, const Pass& pass) = 0;
  const OptimizerConfig& config() const { return config_; }

 private:
  ParameterStore& store_;
  const OptimizerConfig& config_;
  std::vector<Stretch> stretches_;
  std::string name_;
  at::Tensor momentum_;
};

}  // namespace hone
