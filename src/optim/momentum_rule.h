#pragma once

#include <string>
#include <utility>
#include <vector>

#include "optim/update_rule.h"

namespace hone {

/// What rules have in common that keep at most one moment a value and update the weights a stretch at a time.
class MomentumRule : public UpdateRule {
 public:
  void apply(const Update& update) final {
    for (const Stretch& stretch : stretches_) {
      at::Tensor weight = stretch.of(store_.weights());
      at::Tensor momentum = momentum_.defined() ? stretch.of_state(momentum_) : at::Tensor();
      update_stretch(weight, stretch.of(store_.grads()), momentum,
                     {.learning_rate = rate_of(stretch, config_.learning_rate, update),
                      .weight_decay = stretch.decay ? config_.weight_decay : 0.0,
                      .grad_scale = update.grad_scale});
    }
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
    if (has_momentum) momentum_ = at::zeros({state_size(stretches_)}, at::kFloat);
  }

  /// `momentum` is undefined for a rule without one.
  virtual void update_stretch(at::Tensor& weight, const at::Tensor& grad, at::Tensor& momentum, const Pass& pass) = 0;
  const OptimizerConfig& config() const { return config_; }

 private:
  ParameterStore& store_;
  const OptimizerConfig& config_;
  std::vector<Stretch> stretches_;
  std::string name_;
  at::Tensor momentum_;
};

}  // namespace hone
