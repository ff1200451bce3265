#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hone {

namespace {

constexpr double timescale_without_warmup = 10'000;

double half_cosine(double progress) { return 0.5 * (1.0 + std::cos(std::numbers::pi * progress)); }

double fall(FallShape shape, double progress) {
  switch (shape) {
    case FallShape::linear: return 1.0 - progress;
    case FallShape::cosine: return half_cosine(progress);
    case FallShape::one_minus_sqrt: break;
  }
  return 1.0 - std::sqrt(progress);
}

std::int64_t share_of(double share, std::int64_t total) {
  return static_cast<std::int64_t>(std::ceil(share * static_cast<double>(total)));
}

}  // namespace

void Schedule::describe(Fields& f) {
  f.choice("schedule", decay, decay_names, "How the learning rate falls from its peak after the warm-up.");
  f.field("warmup_steps", warmup_steps, "Optimizer steps over which the rate rises from 0.", at_least(0));
  f.field("warmup_share", warmup_share, "The same as a share of all steps.", between(0, 1));
  f.check(warmup_steps == 0 || warmup_share == 0, "warmup_share", "set warmup_steps or warmup_share, not both");
  f.field("floor", floor, "Share of the peak rate that schedules end at; constant and inverse_sqrt have none.",
          between(0, 1));
  f.field("cycles", cycles, "Cosines of cosine_restarts.", at_least(1));
  f.field("power", power, "Exponent of polynomial.", above(0));
  f.field("fall_share", fall_share, "Share of all steps over which wsd falls, at the end.", between(0, 1));
  f.choice("fall_shape", fall_shape, fall_shape_names, "How wsd falls.");
}

/// d(p) of the header.
double Schedule::left(std::int64_t step, std::int64_t warmup, std::int64_t total) const {
  const auto span = static_cast<double>(std::max<std::int64_t>(1, total - warmup));
  const double progress = std::clamp(static_cast<double>(step - warmup) / span, 0.0, 1.0);
  switch (decay) {
    case Decay::constant: return 1.0;
    case Decay::linear: return 1.0 - progress;
    case Decay::polynomial: return std::pow(1.0 - progress, power);
    case Decay::cosine: return half_cosine(progress);
    case Decay::cosine_restarts:
      return progress >= 1.0 ? 0.0 : half_cosine(std::fmod(static_cast<double>(cycles) * progress, 1.0));
    case Decay::wsd: {
      const std::int64_t steps = std::min(share_of(fall_share, total), total - warmup);
      const double into = static_cast<double>(step - (total - steps)) / static_cast<double>(std::max<std::int64_t>(1, steps));
      return steps <= 0 ? 1.0 : fall(fall_shape, std::clamp(into, 0.0, 1.0));
    }
    case Decay::inverse_sqrt: break;
  }
  const double timescale = warmup > 0 ? static_cast<double>(warmup) : timescale_without_warmup;
  return 1.0 / std::sqrt((static_cast<double>(step - warmup) + timescale) / timescale);
}

double Schedule::factor(std::int64_t step, std::int64_t total) const {
  const std::int64_t warmup = warmup_share > 0 ? share_of(warmup_share, total) : warmup_steps;
  if (step < warmup) return static_cast<double>(step) / static_cast<double>(warmup);
  const double lowest = decay == Decay::constant || decay == Decay::inverse_sqrt ? 0.0 : floor;
  return lowest + (1.0 - lowest) * left(step, warmup, total);
}

}  // namespace hone
