#include "optim/adamw.h"

#include "kernels/adamw/adamw.h"

namespace hone {

AdamWRule::AdamWRule(ParameterStore& store, const OptimizerConfig& config, std::span<const ParameterBlock> blocks,
                     std::string name)
    : store_(store), config_(config), stretches_(join(blocks)), name_(std::move(name)) {
  first_moment_ = at::zeros({state_size(stretches_)}, at::kFloat);
  second_moment_ = at::zeros_like(first_moment_);
}

void AdamWRule::apply(const Update& update) {
  for (const Stretch& stretch : stretches_) {
    at::Tensor weight = stretch.of(store_.weights());
    at::Tensor first = stretch.of_state(first_moment_), second = stretch.of_state(second_moment_);
    kernels::adamw_update(weight, stretch.of(store_.grads()), first, second,
                          {.learning_rate = rate_of(stretch, config_.learning_rate, update),
                           .beta1 = config_.beta1,
                           .beta2 = config_.beta2,
                           .eps = config_.eps,
                           .weight_decay = stretch.decay ? config_.weight_decay : 0.0,
                           .step = update.step,
                           .grad_scale = update.grad_scale});
  }
}

std::vector<std::pair<std::string, at::Tensor>> AdamWRule::state() const {
  return {{name_ + ".first_moment", first_moment_}, {name_ + ".second_moment", second_moment_}};
}

std::unique_ptr<UpdateRule> make_adamw(const RuleInputs& inputs) {
  return std::make_unique<AdamWRule>(inputs.store, inputs.config, inputs.blocks, "adamw");
}

}  // namespace hone
