#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/adamw/adamw.h"

namespace hone {

namespace {

/// A stretch of the arena that one kernel call updates, alignment gaps included: they hold zeros in every tensor and
/// stay zero.
struct Stretch {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  double learning_rate = 0;
  bool decay = true;
};

constexpr double norm_epsilon = 1e-6;

}  // namespace

void OptimizerConfig::describe(Fields& f) {
  f.field("learning_rate", learning_rate, "Peak learning rate.", at_least(0));
  f.field("beta1", beta1, "Decay of the mean of gradients.", Range{.low = 0, .high = 1, .open_high = true});
  f.field("beta2", beta2, "Decay of the mean of squared gradients.", Range{.low = 0, .high = 1, .open_high = true});
  f.field("eps", eps, "Added to the root of the second moment.", above(0));
  f.field("weight_decay", weight_decay, "Decoupled; applies to matrices, not to norms and biases.", at_least(0));
  f.field("max_grad_norm", max_grad_norm, "Gradients are scaled down to this global norm; 0: never.", at_least(0));
  schedule.describe(f);
}

Optimizer::Optimizer(ParameterStore& store, const OptimizerConfig& config, std::int64_t total_steps,
                     std::optional<double> critic_learning_rate)
    : store_(store),
      config_(config),
      total_steps_(total_steps),
      critic_learning_rate_(critic_learning_rate.value_or(config.learning_rate)) {
  HONE_ASSERT(store.trainable() && store.grads().defined());
  first_moment_ = at::zeros_like(store.grads());
  second_moment_ = at::zeros_like(store.grads());
}

double Optimizer::learning_rate() const {
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
  update(grad_scale * clip, config_.schedule.factor(steps_, total_steps_));
  ++steps_;
  store_.zero_grads();
  store_.refresh();
  store_.set_version(store_.version() + 1);
  return report;
}

void Optimizer::update(double grad_scale, double factor) {
  std::vector<Stretch> stretches;
  for (const auto& segment : store_.segments()) {
    if (segment.frozen) continue;
    const double peak = segment.role == SegmentRole::critic ? critic_learning_rate_ : config_.learning_rate;
    const Stretch stretch = {segment.offset, segment.end(), peak * factor * segment.lr_scale, segment.decay};
    const bool joins = !stretches.empty() && stretches.back().end == stretch.begin &&
                       stretches.back().learning_rate == stretch.learning_rate &&
                       stretches.back().decay == stretch.decay;
    if (joins) {
      stretches.back().end = stretch.end;
    } else {
      stretches.push_back(stretch);
    }
  }
  for (const auto& stretch : stretches) {
    const auto part = [&stretch](const at::Tensor& arena) {
      return arena.narrow(0, stretch.begin, stretch.end - stretch.begin);
    };
    auto weight = part(store_.weights()), first = part(first_moment_), second = part(second_moment_);
    kernels::adamw_update(weight, part(store_.grads()), first, second,
                          {.learning_rate = stretch.learning_rate,
                           .beta1 = config_.beta1,
                           .beta2 = config_.beta2,
                           .eps = config_.eps,
                           .weight_decay = stretch.decay ? config_.weight_decay : 0.0,
                           .step = steps_ + 1,
                           .grad_scale = grad_scale});
  }
}

std::vector<std::pair<std::string, at::Tensor>> Optimizer::state() const {
  return {{"adamw.first_moment", first_moment_}, {"adamw.second_moment", second_moment_}};
}

}  // namespace hone
