#include "kernels/update/update.h"
#include "optim/update_rule.h"

namespace hone {

namespace {

/// Lion (Chen et al. 2023).
class LionRule : public UpdateRule {
 public:
  explicit LionRule(const RuleInputs& inputs)
      : store_(inputs.store), config_(inputs.config), stretches_(join(inputs.blocks)) {
    momentum_ = at::zeros({state_size(stretches_)}, at::kFloat);
  }

  void apply(const Update& update) override {
    for (const Stretch& stretch : stretches_) {
      at::Tensor weight = stretch.of(store_.weights()), momentum = stretch.of_state(momentum_);
      kernels::lion_update(weight, stretch.of(store_.grads()), momentum,
                           {.learning_rate = rate_of(stretch, config_.learning_rate, update),
                            .beta1 = config_.lion.beta1,
                            .beta2 = config_.lion.beta2,
                            .weight_decay = stretch.decay ? config_.weight_decay : 0.0,
                            .grad_scale = update.grad_scale});
    }
  }

  std::vector<std::pair<std::string, at::Tensor>> state() const override { return {{"lion.momentum", momentum_}}; }

 private:
  ParameterStore& store_;
  const OptimizerConfig& config_;
  std::vector<Stretch> stretches_;
  at::Tensor momentum_;
};

}  // namespace

std::unique_ptr<UpdateRule> make_lion(const RuleInputs& inputs) { return std::make_unique<LionRule>(inputs); }

}  // namespace hone
