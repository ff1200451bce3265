#include "optim/adamw.h"

#include "kernels/adamw/adamw.h"

namespace hone {

AdamWRule::AdamWRule(ParameterStore& store, const OptimizerConfig& config, std::span<const ParameterBlock> blocks,
                     std::string name)
    : store_(store), config_(config), stretches_(join(blocks)), name_(std::move(name)) {
  first_moment_ = arena(state_size(stretches_));
  second_moment_ = arena(state_size(stretches_));
}

RangeUpdate AdamWRule::apply(const Update& update) {
  float* const weight = store_.weights().data_ptr<float>();
  const float* const grad = store_.grads().const_data_ptr<float>();
  float* const first_moment = first_moment_.data_ptr<float>();
  float* const second_moment = second_moment_.data_ptr<float>();
  return [=, this](std::int64_t begin, std::int64_t end) {
    for_each_part(stretches_, begin, end, [&](const Stretch& stretch, std::int64_t first, std::int64_t count) {
      const std::int64_t state = stretch.state + first - stretch.begin;
      kernels::adamw_update(weight + first, grad + first, first_moment + state, second_moment + state, count,
                            {.learning_rate = rate_of(stretch, config_.learning_rate, update),
                             .beta1 = config_.beta1,
                             .beta2 = config_.beta2,
                             .eps = config_.eps,
                             .weight_decay = stretch.decay ? config_.weight_decay : 0.0,
                             .step = update.step,
                             .grad_scale = update.grad_scale});
    });
  };
}

std::vector<std::pair<std::string, at::Tensor>> AdamWRule::state() const {
  return {{name_ + ".first_moment", first_moment_}, {name_ + ".second_moment", second_moment_}};
}

std::unique_ptr<UpdateRule> make_adamw(const RuleInputs& inputs) {
  return std::make_unique<AdamWRule>(inputs.store, inputs.config, inputs.blocks, "adamw");
}

}  // namespace hone
