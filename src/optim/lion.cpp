#include "kernels/update/update.h"
#include "optim/momentum_rule.h"

namespace hone {

namespace {

/// Lion (Chen et al. 2023).
class LionRule : public MomentumRule {
 public:
  explicit LionRule(const RuleInputs& inputs) : MomentumRule(inputs, "lion", true) {}

 private:
  void update_part(float* weight, const float* grad, float* momentum, std::int64_t count, const Pass& pass) override {
    kernels::lion_update(weight, grad, momentum, count,
                         {.learning_rate = pass.learning_rate,
                          .beta1 = config().lion.beta1,
                          .beta2 = config().lion.beta2,
                          .weight_decay = pass.weight_decay,
                          .grad_scale = pass.grad_scale});
  }
};

}  // namespace

std::unique_ptr<UpdateRule> make_lion(const RuleInputs& inputs) { return std::make_unique<LionRule>(inputs); }

}  // namespace hone
