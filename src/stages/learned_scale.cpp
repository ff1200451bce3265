#include "stages/learned_scale.h"

#include <algorithm>
#include <cmath>

namespace hone {

namespace {

constexpr double greatest_scale = 100, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

}  // namespace

LearnedScale::LearnedScale(double temperature, double learning_rate)
    : learning_rate_(learning_rate),
      greatest_log_(std::log(std::max(greatest_scale, 1 / temperature))),
      log_scale_(-std::log(temperature)) {}

double LearnedScale::temperature() const { return std::exp(-log_scale_); }

at::Tensor LearnedScale::draw() {
  leaf_ = at::scalar_tensor(log_scale_, at::kDouble);
  if (learned()) leaf_.requires_grad_();
  return leaf_.exp();
}

void LearnedScale::update() {
  if (!learned() || !leaf_.grad().defined()) return;
  const double gradient = leaf_.grad().item<double>();
  if (!std::isfinite(gradient)) return;
  ++updates_;
  first_moment_ = beta1 * first_moment_ + (1 - beta1) * gradient;
  second_moment_ = beta2 * second_moment_ + (1 - beta2) * gradient * gradient;
  const auto step = static_cast<double>(updates_);
  const double mean = first_moment_ / (1 - std::pow(beta1, step));
  const double deviation = std::sqrt(second_moment_ / (1 - std::pow(beta2, step)));
  log_scale_ = std::min(log_scale_ - learning_rate_ * mean / (deviation + epsilon), greatest_log_);
}

void LearnedScale::exchange(TrainerState& state) {
  if (!learned()) return;
  state.value("log_scale", log_scale_);
  state.value("log_scale.first_moment", first_moment_);
  state.value("log_scale.second_moment", second_moment_);
  state.value("log_scale.updates", updates_);
}

}  // namespace hone
