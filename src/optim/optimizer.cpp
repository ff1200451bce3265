#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/adamw/adamw.h"

namespace hone {

namespace {

constexpr double norm_epsilon = 1e-6;

}  // namespace

Optimizer::Optimizer(ParameterStore& store, const OptimizerConfig& config, std::int64_t total_steps,
                     std::optional<double> critic_learning_rate)
    : store_(store),
      config_(config),
      total_steps_(total_steps),
      critic_learning_rate_(critic_learning_rate.value_or(config.learning_rate)) {
  HONE_ASSERT(store.trainable() && store.grads().defined());
  rule_ = make_update_rule({store_, config_, parameter_blocks(store_, config_)});
}

double Optimizer::learning_rate() const {
  if (config_.rule == RuleKind::adafactor && config_.adafactor.relative_step)
    return config_.adafactor.relative_rate(steps_ + 1);
  return config_.learning_rate * config_.schedule.factor(steps_, total_steps_);
}

StepReport Optimizer::step(double grad_scale) {
  StepReport report;
  report.learning_rate = learning_rate();
  report.grad_norm = std::sqrt(kernels::squared_norm(store_.grads())) * std::abs(grad_scale);
  if (!std::isfinite(report.grad_norm)) {
    report.skipped = true;
    store_.zero_grads();
    return report;
  }
  double clip = 1.0;
  if (config_.max_grad_norm > 0) clip = std::min(1.0, config_.max_grad_norm / (report.grad_norm + norm_epsilon));
  report.clipped = clip < 1.0;
  const at::NoGradGuard no_grad;
  const RangeUpdate change = rule_->apply({.step = steps_ + 1,
                                           .grad_scale = grad_scale * clip,
                                           .schedule = config_.schedule.factor(steps_, total_steps_),
                                           .critic_learning_rate = critic_learning_rate_});
  ++steps_;
  float* const grads = store_.grads().data_ptr<float>();
  store_.update([&](std::int64_t begin, std::int64_t end) {
    if (change) change(begin, end);
    std::fill(grads + begin, grads + end, 0.0F);
  });
  store_.set_version(store_.version() + 1);
  return report;
}

}  // namespace hone
