#include "kernels/update/update.h"
#include "optim/momentum_rule.h"

namespace hone {

namespace {

/// Stochastic gradient descent as torch.optim.SGD has it: weight decay is part of the gradient.
class SgdRule : public MomentumRule {
 public:
  explicit SgdRule(const RuleInputs& inputs) : MomentumRule(inputs, "sgd", inputs.config.sgd.momentum > 0) {}

 private:
  void update_part(float* weight, const float* grad, float* momentum, std::int64_t count, const Pass& pass) override {
    kernels::sgd_update(weight, grad, momentum, count,
                        {.learning_rate = pass.learning_rate,
                         .momentum = config().sgd.momentum,
                         .nesterov = config().sgd.nesterov,
                         .weight_decay = pass.weight_decay,
                         .grad_scale = pass.grad_scale});
  }
};

}  // namespace

std::unique_ptr<UpdateRule> make_sgd(const RuleInputs& inputs) { return std::make_unique<SgdRule>(inputs); }

}  // namespace hone
