#include "kernels/update/update.h"
#include "optim/update_rule.h"

namespace hone {

namespace {

/// Stochastic gradient descent as torch.optim.SGD has it: weight decay is part of the gradient.
class SgdRule : public UpdateRule {
 public:
  explicit SgdRule(const RuleInputs& inputs)
      : store_(inputs.store), config_(inputs.config), stretches_(join(inputs.blocks)) {
    if (config_.sgd.momentum > 0) momentum_ = at::zeros({state_size(stretches_)}, at::kFloat);
  }

  void apply(const Update& update) override {
    for (const Stretch& stretch : stretches_) {
      at::Tensor weight = stretch.of(store_.weights());
      at::Tensor momentum = momentum_.defined() ? stretch.of_state(momentum_) : at::Tensor();
      kernels::sgd_update(weight, stretch.of(store_.grads()), momentum,
                          {.learning_rate = rate_of(stretch, config_.learning_rate, update),
                           .momentum = config_.sgd.momentum,
                           .nesterov = config_.sgd.nesterov,
                           .weight_decay = stretch.decay ? config_.weight_decay : 0.0,
                           .grad_scale = update.grad_scale});
    }
  }

  std::vector<std::pair<std::string, at::Tensor>> state() const override {
    if (!momentum_.defined()) return {};
    return {{"sgd.momentum", momentum_}};
  }

 private:
  ParameterStore& store_;
  const OptimizerConfig& config_;
  std::vector<Stretch> stretches_;
  at::Tensor momentum_;
};

}  // namespace

std::unique_ptr<UpdateRule> make_sgd(const RuleInputs& inputs) { return std::make_unique<SgdRule>(inputs); }

}  // namespace hone
